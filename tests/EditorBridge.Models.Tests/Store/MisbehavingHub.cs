using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace EditorBridge.Models.Tests.Store;

/// <summary>A request that the hub got.</summary>
/// <param name="Path">With its query.</param>
/// <param name="From">First byte asked for; null without a range.</param>
/// <param name="Token">What its Authorization says.</param>
public sealed record HubRequest(string Path, long? From, string? Token);

/// <summary>What the hub does to one request instead of answering it well.</summary>
public sealed record Mischief
{
    /// <summary>Answers with this status and nothing else.</summary>
    public int Status { get; init; }

    /// <summary>Further header lines.</summary>
    public string Headers { get; init; } = "";

    /// <summary>Breaks the connection after this many bytes of content.</summary>
    public int? CutAfter { get; init; }

    /// <summary>Says nothing more after this many bytes of content, but keeps the connection.</summary>
    public int? StallAfter { get; init; }

    /// <summary>Answers with a range that begins this many bytes off.</summary>
    public int ShiftRange { get; init; }

    /// <summary>Sends the whole file with status 200 whatever range was asked for.</summary>
    public bool IgnoreRange { get; init; }

    /// <summary>Changes a byte of the content.</summary>
    public bool Damage { get; init; }

    /// <summary>Sends this many bytes more than the file has.</summary>
    public int Surplus { get; init; }

    /// <summary>Sends no length: the content ends with the connection.</summary>
    public bool NoLength { get; init; }
}

/// <summary>A hub of one repository on a free port of this machine, that misbehaves as told.</summary>
public sealed class MisbehavingHub : IDisposable
{
    public const string Repository = "acme/film";
    public const string Commit = "0123456789abcdef0123456789abcdef01234567";

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private readonly ConcurrentDictionary<string, ConcurrentQueue<Mischief>> _mischief = new();

    public MisbehavingHub()
    {
        _listener.Start();
        _ = AcceptAsync();
    }

    public Dictionary<string, byte[]> Files { get; } = [];

    public ConcurrentQueue<HubRequest> Requests { get; } = [];

    /// <summary>Replaces the answer to the request for the list.</summary>
    public string? List { get; set; }

    public Uri Address => new($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}");

    /// <summary>Requests for a file's content.</summary>
    public IReadOnlyList<HubRequest> For(string file) => [.. Requests.Where(request => request.Path.EndsWith("/" + file, StringComparison.Ordinal))];

    /// <summary>Misbehaves at the next requests for a file ("list" for the list), once for each of <paramref name="mischief"/>.</summary>
    public void At(string file, params Mischief[] mischief)
    {
        foreach (var one in mischief) _mischief.GetOrAdd(file, _ => []).Enqueue(one);
    }

    public void Dispose()
    {
        _end.Cancel();
        _listener.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            TcpClient client;
            try
            {
                client = await _listener.AcceptTcpClientAsync(_end.Token);
            }
            catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException or SocketException)
            {
                return;
            }

            _ = ServeAsync(client);
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using (client)
        {
            try
            {
                await using var stream = client.GetStream();
                if (await HeadAsync(stream) is { } request) await AnswerAsync(stream, request);
            }
            catch (Exception e) when (e is IOException or OperationCanceledException or SocketException)
            {
                // The client left, or the test is over.
            }
        }
    }

    private async Task<HubRequest?> HeadAsync(NetworkStream stream)
    {
        var text = new StringBuilder();
        var one = new byte[1];
        while (!text.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            if (await stream.ReadAsync(one, _end.Token) == 0) return null;
            text.Append((char)one[0]);
        }

        var lines = text.ToString().Split("\r\n");
        string? Header(string name) => lines.FirstOrDefault(line => line.StartsWith(name + ": ", StringComparison.OrdinalIgnoreCase))?[(name.Length + 2)..];
        long? from = Header("Range") is { } range ? long.Parse(range["bytes=".Length..].TrimEnd('-'), CultureInfo.InvariantCulture) : null;
        var request = new HubRequest(lines[0].Split(' ')[1], from, Header("Authorization"));
        Requests.Enqueue(request);
        return request;
    }

    private async Task AnswerAsync(NetworkStream stream, HubRequest request)
    {
        var isList = request.Path.StartsWith("/api/", StringComparison.Ordinal);
        var name = isList ? "list" : Uri.UnescapeDataString(request.Path[$"/{Repository}/resolve/{Commit}/".Length..]);
        var mischief = _mischief.TryGetValue(name, out var queue) && queue.TryDequeue(out var next) ? next : new Mischief();
        if (mischief.Status != 0)
        {
            await WriteAsync(stream, $"HTTP/1.1 {mischief.Status} No\r\nContent-Length: 0\r\nConnection: close\r\n{mischief.Headers}\r\n", default);
            return;
        }

        var content = isList ? Encoding.UTF8.GetBytes(List ?? Listing()) : Files[name].ToArray();
        var size = content.Length;
        if (mischief.Damage) content[size / 2] ^= 1;
        var head = "HTTP/1.1 200 OK\r\n";
        if (request.From is { } from && !mischief.IgnoreRange)
        {
            if (from >= size)
            {
                await WriteAsync(stream, "HTTP/1.1 416 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", default);
                return;
            }

            var start = Math.Max(0, from + mischief.ShiftRange);
            head = FormattableString.Invariant($"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes {start}-{size - 1}/{size}\r\n");
            content = content[(int)start..];
        }

        content = [.. content, .. new byte[mischief.Surplus]];
        if (!mischief.NoLength) head += FormattableString.Invariant($"Content-Length: {content.Length}\r\n");
        await WriteAsync(stream, head + "Connection: close\r\n\r\n", content.AsMemory(0, mischief.CutAfter ?? mischief.StallAfter ?? content.Length));
        if (mischief.StallAfter is not null) await Task.Delay(Timeout.Infinite, _end.Token);
    }

    private async Task WriteAsync(NetworkStream stream, string head, ReadOnlyMemory<byte> content)
    {
        await stream.WriteAsync(Encoding.ASCII.GetBytes(head), _end.Token);
        await stream.WriteAsync(content, _end.Token);
        await stream.FlushAsync(_end.Token);
    }

    private string Listing() => JsonSerializer.Serialize(new
    {
        sha = Commit,
        cardData = new { license = "apache-2.0" },
        siblings = Files.Select(file => file.Key.EndsWith(".safetensors", StringComparison.Ordinal)
            ? (object)new { rfilename = file.Key, size = file.Value.Length, blobId = "x", lfs = new { sha256 = Convert.ToHexStringLower(SHA256.HashData(file.Value)), size = file.Value.Length, pointerSize = 130 } }
            : new { rfilename = file.Key, size = file.Value.Length, blobId = Convert.ToHexStringLower(SHA1.HashData([.. Encoding.ASCII.GetBytes($"blob {file.Value.Length}\0"), .. file.Value])) }),
    });
}
