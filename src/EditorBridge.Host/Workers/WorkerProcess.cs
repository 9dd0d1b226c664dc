using System.Diagnostics;
using System.Threading.Channels;
using EditorBridge.Protocol.Worker.V1;
using Google.Protobuf;

namespace EditorBridge.Host.Workers;

/// <summary>One running worker: its process, what it says and what it is told. It ends with the host, whose end of its input closes.</summary>
internal sealed class WorkerProcess : IAsyncDisposable
{
    private const int StandardErrorTail = 20;

    private readonly Process _process;
    private readonly ILogger _log;
    private readonly Channel<WorkerMessage> _messages = Channel.CreateUnbounded<WorkerMessage>(new UnboundedChannelOptions { SingleWriter = true });
    private readonly Lock _writing = new();
    private readonly Queue<string> _tail = new();
    private readonly Task _errors;

    private WorkerProcess(Process process, ILogger log)
    {
        _process = process;
        _log = log;
        // The protobuf reader blocks, so it has a thread of its own.
        new Thread(ReadMessages) { IsBackground = true, Name = $"worker {process.Id} reader" }.Start();
        _errors = ReadErrorsAsync();
    }

    /// <summary>The process.</summary>
    public int Id => _process.Id;

    /// <summary>Folder of the model it has in memory; "" when none is known to be.</summary>
    public string LoadedModel { get; set; } = "";

    /// <summary>What the worker says; completes when its output ends.</summary>
    public ChannelReader<WorkerMessage> Messages => _messages.Reader;

    /// <summary>Whether the process is there.</summary>
    public bool IsAlive => !_process.HasExited;

    /// <summary>The job whose lines its log shows now; null for none.</summary>
    public string? Job { get; set; }

    /// <summary>Starts <paramref name="program"/>.</summary>
    /// <exception cref="System.ComponentModel.Win32Exception">It cannot be started.</exception>
    public static WorkerProcess Start(string program, ILogger log)
    {
        var process = Process.Start(WorkerProgram.StartInfo(program)) ?? throw new InvalidOperationException($"{program} did not start.");
        return new WorkerProcess(process, log);
    }

    /// <summary>Tells the worker something. A worker that is gone does not hear it; its end is seen in <see cref="Messages"/>.</summary>
    public void Send(HostMessage message)
    {
        try
        {
            lock (_writing)
            {
                message.WriteDelimitedTo(_process.StandardInput.BaseStream);
                _process.StandardInput.BaseStream.Flush();
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or InvalidOperationException)
        {
            _log.LogDebug("Worker {Worker} no longer listens: {Why}", Id, e.Message);
        }
    }

    /// <summary>Ends the process and whatever it started.</summary>
    public void Kill()
    {
        try
        {
            _process.Kill(entireProcessTree: true);
        }
        catch (Exception e) when (e is InvalidOperationException or System.ComponentModel.Win32Exception or AggregateException)
        {
            // It has ended by itself.
        }
    }

    /// <summary>Waits for the end of the process and says its exit code.</summary>
    public async Task<int> WaitForExitAsync(CancellationToken cancellation)
    {
        await _process.WaitForExitAsync(cancellation).ConfigureAwait(false);
        return _process.ExitCode;
    }

    /// <summary>The last lines it wrote to standard error.</summary>
    public string ErrorTail()
    {
        lock (_tail) return string.Join('\n', _tail);
    }

    /// <summary>Closes its input, which tells it to end, and ends it if it has not within <paramref name="grace"/>.</summary>
    public async Task EndAsync(TimeSpan grace)
    {
        try
        {
            lock (_writing) _process.StandardInput.Close();
        }
        catch (Exception e) when (e is IOException or InvalidOperationException)
        {
            // Closed already, or gone.
        }

        using var timeout = new CancellationTokenSource(grace);
        try
        {
            await _process.WaitForExitAsync(timeout.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            Kill();
            await _process.WaitForExitAsync(CancellationToken.None).ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await EndAsync(TimeSpan.FromSeconds(3)).ConfigureAwait(false);
        await Task.WhenAny(_errors, Task.Delay(TimeSpan.FromSeconds(1))).ConfigureAwait(false);
        _process.Dispose();
    }

    private void ReadMessages()
    {
        try
        {
            var stream = _process.StandardOutput.BaseStream;
            while (true) _messages.Writer.TryWrite(WorkerMessage.Parser.ParseDelimitedFrom(stream));
        }
        catch (Exception e) when (e is InvalidProtocolBufferException or IOException or ObjectDisposedException or InvalidOperationException)
        {
            // The end of the stream in front of a message is no other error than one in the middle of it: the worker is gone.
            _messages.Writer.TryComplete();
        }
    }

    private async Task ReadErrorsAsync()
    {
        try
        {
            while (await _process.StandardError.ReadLineAsync().ConfigureAwait(false) is { } line)
            {
                lock (_tail)
                {
                    _tail.Enqueue(line);
                    if (_tail.Count > StandardErrorTail) _tail.Dequeue();
                }

                _log.LogInformation("Worker {Worker} on {Job}: {Line}", Id, Job ?? "nothing", line);
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or InvalidOperationException)
        {
            // The worker is gone.
        }
    }
}
