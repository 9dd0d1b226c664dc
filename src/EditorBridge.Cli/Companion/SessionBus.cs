using Tmds.DBus.Protocol;

namespace EditorBridge.Cli.Companion;

/// <summary>The desktop session's D-Bus, for calling programs that run in it.</summary>
internal sealed class SessionBus : IDisposable
{
    // Long enough for an editor that is busy with a large project.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);
    private readonly DBusConnection connection;

    private SessionBus(DBusConnection connection) => this.connection = connection;

    /// <summary>Connects.</summary>
    /// <exception cref="Refused">There is no session bus.</exception>
    public static async Task<SessionBus> ConnectAsync(CancellationToken cancellation)
    {
        if (DBusAddress.Session is not { Length: > 0 } address)
            throw new Refused("NO_SESSION_BUS", "There is no D-Bus session here, over which Kdenlive is reached: run this in the desktop session that Kdenlive runs in, or use --closed.");
        var connection = new DBusConnection(address);
        try
        {
            await connection.ConnectAsync().AsTask().WaitAsync(cancellation).ConfigureAwait(false);
            return new SessionBus(connection);
        }
        catch (DBusConnectFailedException error)
        {
            connection.Dispose();
            throw new Refused("NO_SESSION_BUS", $"The D-Bus session at {address} cannot be reached ({error.Message.TrimEnd('.')}): run this in the desktop session that Kdenlive runs in, or use --closed.");
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    public void Dispose() => connection.Dispose();

    /// <summary>The names of all programs on the bus.</summary>
    public Task<string[]> NamesAsync(CancellationToken cancellation) => connection.ListServicesAsync().WaitAsync(cancellation);

    /// <summary>The process behind a name.</summary>
    public Task<uint> ProcessAsync(string name, CancellationToken cancellation) => CallAsync(
        Message("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "GetConnectionUnixProcessID", name),
        static (message, _) => message.GetBodyReader().ReadUInt32(), cancellation);

    /// <summary>Calls a method that takes strings and answers nothing.</summary>
    public Task CallAsync(string name, string path, string @interface, string method, CancellationToken cancellation, params string[] arguments) =>
        CallAsync(Message(name, path, @interface, method, arguments), static (_, _) => true, cancellation);

    /// <summary>Calls a method that takes strings and answers whether it did something.</summary>
    public Task<bool> CallForBoolAsync(string name, string path, string @interface, string method, CancellationToken cancellation, params string[] arguments) =>
        CallAsync(Message(name, path, @interface, method, arguments), static (message, _) => message.GetBodyReader().ReadBool(), cancellation);

    /// <summary>Reads a property.</summary>
    public Task<VariantValue> PropertyAsync(string name, string path, string @interface, string property, CancellationToken cancellation) =>
        CallAsync(Message(name, path, "org.freedesktop.DBus.Properties", "Get", @interface, property), static (message, _) => message.GetBodyReader().ReadVariantValue(), cancellation);

    private async Task<T> CallAsync<T>(MessageBuffer message, MessageValueReader<T> reader, CancellationToken cancellation)
    {
        try
        {
            return await connection.CallMethodAsync(message, reader).WaitAsync(Patience, cancellation).ConfigureAwait(false);
        }
        catch (DBusErrorReplyException error)
        {
            throw new Refused("EDITOR_REFUSED", $"The editor did not do what it was asked: {error.Message.TrimEnd('.')}.");
        }
        catch (DBusConnectionException error)
        {
            throw new Refused("EDITOR_GONE", $"The D-Bus session ended: {error.Message.TrimEnd('.')}.");
        }
        catch (TimeoutException)
        {
            throw new Refused("EDITOR_BUSY", $"The editor has not answered for {Patience.TotalMinutes:0} minutes: look whether it asks something.");
        }
    }

    private MessageBuffer Message(string name, string path, string @interface, string method, params string[] arguments)
    {
        using var writer = connection.GetMessageWriter();
        writer.WriteMethodCallHeader(name, path, @interface, method, arguments.Length > 0 ? new string('s', arguments.Length) : null);
        foreach (var argument in arguments) writer.WriteString(argument);
        return writer.CreateMessage();
    }
}
