using System.Net.Sockets;

namespace EditorBridge.Client.Tests;

/// <summary>A socket in front of the host's that passes bytes on and breaks each connection after so many.</summary>
internal sealed class BreakingLine : IAsyncDisposable
{
    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly CancellationTokenSource _end = new();
    private readonly string _target;
    private readonly long _bytesUntilBreak;
    private readonly long _bytesUpUntilBreak;
    private readonly Task _accepting;
    private int _breaks;

    public BreakingLine(string target, string path, long bytesUntilBreak, long bytesUpUntilBreak = long.MaxValue)
    {
        (_target, _bytesUntilBreak, _bytesUpUntilBreak) = (target, bytesUntilBreak, bytesUpUntilBreak);
        _listener.Bind(new UnixDomainSocketEndPoint(path));
        _listener.Listen();
        _accepting = AcceptAsync();
    }

    public int Breaks => Volatile.Read(ref _breaks);

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        _listener.Dispose();
        await _accepting;
        _end.Dispose();
    }

    private async Task AcceptAsync()
    {
        var lines = new List<Task>();
        try
        {
            while (true) lines.Add(PassAsync(await _listener.AcceptAsync(_end.Token)));
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            await Task.WhenAll(lines);
        }
    }

    private async Task PassAsync(Socket from)
    {
        using (from)
        using (var to = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        using (var either = CancellationTokenSource.CreateLinkedTokenSource(_end.Token))
        {
            try
            {
                await to.ConnectAsync(new UnixDomainSocketEndPoint(_target), _end.Token);
                var up = CopyAsync(from, to, _bytesUpUntilBreak, either);
                var down = CopyAsync(to, from, _bytesUntilBreak, either);
                await Task.WhenAll(up, down);
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException)
            {
                // Broken, as it is meant to be.
            }
        }
    }

    private async Task CopyAsync(Socket from, Socket to, long limit, CancellationTokenSource either)
    {
        var buffer = new byte[8192];
        try
        {
            while (limit > 0)
            {
                var read = await from.ReceiveAsync(buffer, either.Token);
                if (read == 0) break;
                await to.SendAsync(buffer.AsMemory(0, read), either.Token);
                limit -= read;
            }

            if (limit <= 0) Interlocked.Increment(ref _breaks);
        }
        finally
        {
            await either.CancelAsync();
        }
    }
}
