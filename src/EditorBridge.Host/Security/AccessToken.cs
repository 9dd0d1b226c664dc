using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace EditorBridge.Host.Security;

/// <summary>A secret that requests carry: that of this run of the host, or a lasting one.</summary>
internal sealed class AccessToken
{
    // A shorter one was typed by hand, or is what is left of one.
    private const int ShortestLasting = 16;

    private readonly byte[] _hash;

    /// <summary>Draws a new one.</summary>
    public AccessToken()
        : this(Draw())
    {
    }

    private AccessToken(string text)
    {
        Text = text;
        _hash = SHA256.HashData(Encoding.ASCII.GetBytes(Text));
    }

    /// <summary>Reads the secret in a file; draws one into it, for the user alone to read, where there is none.</summary>
    /// <exception cref="IOException">The file cannot be read or written.</exception>
    public static AccessToken Lasting(string path)
    {
        if (File.Exists(path) && File.ReadAllText(path).Trim() is { Length: >= ShortestLasting } known) return new AccessToken(known);
        var token = new AccessToken();
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using (var file = new StreamWriter(path, options)) file.WriteLine(token.Text);
        return token;
    }

    private static string Draw() => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));

    /// <summary>The secret itself, for the endpoint file. Never logged.</summary>
    public string Text { get; }

    /// <summary>Whether an Authorization header carries the secret. Takes the same time whatever is wrong with it.</summary>
    public bool IsIn(string? authorization)
    {
        const string scheme = "Bearer ";
        var given = authorization is not null && authorization.StartsWith(scheme, StringComparison.OrdinalIgnoreCase) ? authorization[scheme.Length..] : "";
        return CryptographicOperations.FixedTimeEquals(SHA256.HashData(Encoding.UTF8.GetBytes(given)), _hash);
    }
}
