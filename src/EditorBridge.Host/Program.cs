using EditorBridge.Host;
using EditorBridge.Host.Jobs;
using EditorBridge.Media;
using Microsoft.Data.Sqlite;
using Serilog;

var (options, problem) = HostSettings.Read(args);
if (options is null)
{
    Console.Error.WriteLine(problem);
    return ExitCodes.BadSettings;
}

if (options.Detached) Detachment.LeaveSession();
DataFolder? folder;
try
{
    folder = DataFolder.TryOpen(options.Data);
}
catch (Exception e) when (e is IOException or UnauthorizedAccessException)
{
    Console.Error.WriteLine($"The data folder {options.Data} cannot be used: {e.Message} Name another in EDITORBRIDGE_DATA.");
    return ExitCodes.DataFolderUnusable;
}

if (folder is null)
{
    Console.Error.WriteLine($"Another EditorBridge host already uses {options.Data}; stop it, or name another folder in EDITORBRIDGE_DATA.");
    return ExitCodes.AlreadyRunning;
}

using (folder)
{
    Log.Logger = HostLog.Create(folder, options);
    try
    {
        return await HostApplication.RunAsync(folder, options).ConfigureAwait(false);
    }
    catch (Exception e)
    {
        Log.Fatal(e, "The host failed");
        var isFull = e is IOException io ? DiskSpace.IsFull(io) : e is SqliteException sqlite && JobDatabase.IsFull(sqlite);
        Console.Error.WriteLine(isFull ? $"The disk of the data folder {folder.Root} is full; free some space, or name another folder in EDITORBRIDGE_DATA."
            : e is InvalidDataException ? e.Message : $"The host failed: {e.Message} Its log in {folder.Log} has more.");
        return ExitCodes.Failed;
    }
    finally
    {
        await Log.CloseAndFlushAsync().ConfigureAwait(false);
    }
}
