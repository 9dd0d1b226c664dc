using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Connections;

namespace EditorBridge.Host;

/// <summary>Where programs of this user reach the host without a port: a named pipe on Windows, a Unix domain socket elsewhere.</summary>
internal sealed record LocalEndpoint
{
    /// <summary>Path of the socket; null for a pipe.</summary>
    public string? Socket { get; private init; }

    /// <summary>Name of the pipe; null for a socket.</summary>
    public string? Pipe { get; private init; }

    /// <summary>What to listen on.</summary>
    public EndPoint Address => Pipe is not null ? new NamedPipeEndPoint(Pipe) : new UnixDomainSocketEndPoint(Socket!);

    /// <summary>Chooses the address.</summary>
    /// <param name="folder">The host's own; the socket's path lies in it.</param>
    /// <param name="named">Whether it is a pipe.</param>
    public static LocalEndpoint Prepare(DataFolder folder, bool named) => named
        // Names of pipes are the machine's. One that cannot be guessed cannot be taken by another user first; clients read it in endpoint.json.
        ? new LocalEndpoint { Pipe = "editorbridge-" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16)) }
        : new LocalEndpoint { Socket = folder.PrepareSocket() };

    /// <summary>Closes a socket that is listened on to other users; a pipe is made for one user from the start.</summary>
    public void Close()
    {
        if (Socket is not null && !OperatingSystem.IsWindows()) File.SetUnixFileMode(Socket, UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    /// <summary>Removes what is left of it; a pipe is gone with its process.</summary>
    public void Remove()
    {
        if (Socket is not null) File.Delete(Socket);
    }
}
