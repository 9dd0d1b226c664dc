using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace EditorBridge.Host.Security;

/// <summary>The secret of this run of the host.</summary>
internal sealed class AccessToken
{
    private readonly byte[] _hash;

    /// <summary>Draws a new one.</summary>
    public AccessToken()
    {
        Text = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));
        _hash = SHA256.HashData(Encoding.ASCII.GetBytes(Text));
    }

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
