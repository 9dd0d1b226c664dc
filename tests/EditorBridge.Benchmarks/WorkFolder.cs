namespace EditorBridge.Benchmarks;

/// <summary>A folder for the time of a measurement.</summary>
internal sealed class WorkFolder : IDisposable
{
    private readonly string path = Directory.CreateTempSubdirectory("editorbridge-benchmark-").FullName;

    public string File(string name) => Path.Combine(path, name);

    public void Dispose()
    {
        try
        {
            Directory.Delete(path, recursive: true);
        }
        catch (IOException)
        {
            // A host that is just ending still writes; it is in the system's temporary folder.
        }
    }
}
