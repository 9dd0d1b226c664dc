using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using EditorBridge.Client;
using EditorBridge.Protocol.V1;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Rpc;

namespace EditorBridge.Native.Abi;

/// <summary>The functions of editorbridge.h. Each catches everything: nothing may be thrown into a program of another language.</summary>
internal static unsafe class Exports
{
    private const int Version = 1;
    private const int Ok = 0;
    private const int Failed = 1;
    private const int Left = 2;

    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(250);

    private static readonly JsonFormatter Formatter = new(new JsonFormatter.Settings(formatDefaultValues: false,
        TypeRegistry.FromFiles(ErrorDetailsReflection.Descriptor, JobServiceReflection.Descriptor)));

    private static readonly JsonParser Parser = new(new JsonParser.Settings(recursionLimit: 32));

    [UnmanagedCallersOnly(EntryPoint = "eb_abi_version", CallConvs = [typeof(CallConvCdecl)])]
    public static int AbiVersion()
    {
        LoadedLibrary.Stay();
        return Version;
    }

    [UnmanagedCallersOnly(EntryPoint = "eb_connect", CallConvs = [typeof(CallConvCdecl)])]
    public static long Connect(byte* dataFolder, byte* hostProgram, int startHost)
    {
        try
        {
            LoadedLibrary.Stay();
            var options = new ClientOptions { StartHost = startHost != 0, HostProgram = Optional(hostProgram) ?? LoadedLibrary.HostProgram() };
            if (Optional(dataFolder) is { } folder) options = options with { DataFolder = Path.GetFullPath(folder) };
            return OpenClients.Add(Finish(() => EditorBridgeClient.ConnectAsync(options)));
        }
        catch (Exception error)
        {
            LastError.Keep(error);
            return 0;
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "eb_disconnect", CallConvs = [typeof(CallConvCdecl)])]
    public static void Disconnect(long client)
    {
        try
        {
            OpenClients.Remove(client);
        }
        catch (Exception error)
        {
            LastError.Keep(error);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "eb_plan", CallConvs = [typeof(CallConvCdecl)])]
    public static byte* Plan(long client, byte* spec)
    {
        var text = Optional(spec);
        return Answer(client, open => open.Client.PlanAsync(Parse<JobSpec>(text, "The job's spec"), open.End));
    }

    [UnmanagedCallersOnly(EntryPoint = "eb_submit", CallConvs = [typeof(CallConvCdecl)])]
    public static byte* Submit(long client, byte* job, byte* requestId)
    {
        var (text, id) = (Optional(job), Optional(requestId));
        return Answer(client, open =>
        {
            Guid request = default;
            if (id is not null && !Guid.TryParse(id, out request)) throw new EditorBridgeException("INVALID_ARGUMENT", $"'{id}' is not a UUID.");
            return open.Client.SubmitAsync(Parse<Job>(text, "The job"), id is null ? null : request, open.End);
        });
    }

    [UnmanagedCallersOnly(EntryPoint = "eb_get", CallConvs = [typeof(CallConvCdecl)])]
    public static byte* Get(long client, byte* job)
    {
        var name = Optional(job) ?? "";
        return Answer(client, open => open.Client.GetAsync(name, open.End));
    }

    [UnmanagedCallersOnly(EntryPoint = "eb_cancel", CallConvs = [typeof(CallConvCdecl)])]
    public static byte* Cancel(long client, byte* job)
    {
        var name = Optional(job) ?? "";
        return Answer(client, open => open.Client.CancelAsync(name, open.End));
    }

    [UnmanagedCallersOnly(EntryPoint = "eb_upload", CallConvs = [typeof(CallConvCdecl)])]
    public static byte* Upload(long client, byte* path)
    {
        var file = Optional(path) ?? "";
        return Answer(client, open => open.Client.UploadAsync(file, cancellation: open.End));
    }

    [UnmanagedCallersOnly(EntryPoint = "eb_prepare_frames", CallConvs = [typeof(CallConvCdecl)])]
    public static byte* PrepareFrames(long client, byte* clip, int bits)
    {
        var name = Optional(clip) ?? "";
        return Answer(client, open => open.Client.PrepareFramesAsync(name, bits, cancellation: open.End));
    }

    [UnmanagedCallersOnly(EntryPoint = "eb_models", CallConvs = [typeof(CallConvCdecl)])]
    public static byte* Models(long client) => Answer(client, open => open.ModelsAsync());

    [UnmanagedCallersOnly(EntryPoint = "eb_fetch", CallConvs = [typeof(CallConvCdecl)])]
    public static int Fetch(long client, byte* clip, byte* destination, int overwrite)
    {
        try
        {
            var open = OpenClients.Get(client);
            var (name, path) = (Optional(clip) ?? "", Optional(destination) ?? throw new EditorBridgeException("CANNOT_WRITE", "The file to write has no name."));
            Finish(() => open.Client.FetchAsync(new Clip { Name = name }, path, overwrite: overwrite != 0, cancellation: open.End));
            return Ok;
        }
        catch (Exception error)
        {
            LastError.Keep(error);
            return Failed;
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "eb_watch", CallConvs = [typeof(CallConvCdecl)])]
    public static int Watch(long client, byte* job, int previews, delegate* unmanaged[Cdecl]<void*, byte*, int> callback, void* user)
    {
        try
        {
            var open = OpenClients.Get(client);
            var name = Optional(job) ?? "";
            if (callback is null) throw new EditorBridgeException("INVALID_ARGUMENT", "The callback is missing.");
            using var leave = CancellationTokenSource.CreateLinkedTokenSource(open.End);
            using var events = new BlockingCollection<JobEvent>();
            var watching = Task.Run(() => open.WatchAsync(name, previews != 0, events, leave.Token));
            var wantsMore = true;
            while (wantsMore && !events.IsCompleted)
            {
                var text = events.TryTake(out var happened, Tick) ? LastError.Copy(Formatter.Format(happened)) : null;
                if (text is null && events.IsCompleted) break;
                try
                {
                    wantsMore = callback(user, text) == 0;
                }
                finally
                {
                    NativeMemory.Free(text);
                }
            }

            if (wantsMore)
            {
                watching.GetAwaiter().GetResult();
                return Ok;
            }

            leave.Cancel();
            // Its end is of no interest, but it must not outlive what it writes to.
            watching.ContinueWith(_ => { }, TaskScheduler.Default).GetAwaiter().GetResult();
            return Left;
        }
        catch (Exception error)
        {
            LastError.Keep(error);
            return Failed;
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "eb_last_error", CallConvs = [typeof(CallConvCdecl)])]
    public static byte* LastMessage() => LastError.Message;

    [UnmanagedCallersOnly(EntryPoint = "eb_last_reason", CallConvs = [typeof(CallConvCdecl)])]
    public static byte* LastReason() => LastError.Reason;

    [UnmanagedCallersOnly(EntryPoint = "eb_free", CallConvs = [typeof(CallConvCdecl)])]
    public static void Free(byte* text) => NativeMemory.Free(text);

    private static byte* Answer<T>(long client, Func<OpenClient, Task<T>> call) where T : class, IMessage
    {
        try
        {
            var open = OpenClients.Get(client);
            return LastError.Copy(Formatter.Format(Finish(() => call(open))));
        }
        catch (Exception error)
        {
            LastError.Keep(error);
            return null;
        }
    }

    // On a thread of the pool, whatever the caller's own thread has set up for what comes after an await.
    private static T Finish<T>(Func<Task<T>> call) => Task.Run(call).GetAwaiter().GetResult();

    private static T Parse<T>(string? text, string what) where T : IMessage, new() =>
        text is null ? throw new EditorBridgeException("INVALID_ARGUMENT", $"{what} is missing.") : Parser.Parse<T>(text);

    private static string? Optional(byte* text) => text is null ? null : Marshal.PtrToStringUTF8((nint)text);
}
