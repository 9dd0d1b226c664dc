using EditorBridge.Host;
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
        Console.Error.WriteLine(e is InvalidDataException ? e.Message : $"The host failed: {e.Message} Its log in {folder.Log} has more.");
        return ExitCodes.Failed;
    }
    finally
    {
        await Log.CloseAndFlushAsync().ConfigureAwait(false);
    }
}
