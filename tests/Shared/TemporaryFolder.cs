namespace EditorBridge.Tests.Shared;

/// <summary>A folder of a test's own, gone at its end.</summary>
public sealed class TemporaryFolder : IDisposable
{
    // Short: a host's socket lies in here, and the names of sockets end at 107 characters.
    public TemporaryFolder() => Path = Directory.CreateTempSubdirectory("eb-").FullName;

    public string Path { get; }

    public string File(string name) => System.IO.Path.Combine(Path, name);

    public void Dispose()
    {
        for (var tries = 0; Directory.Exists(Path); tries++)
        {
            try
            {
                Directory.Delete(Path, recursive: true);
                return;
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException && tries < 20)
            {
                // A program that is just ending may still write its last line in here.
                Thread.Sleep(100);
            }
        }
    }
}
