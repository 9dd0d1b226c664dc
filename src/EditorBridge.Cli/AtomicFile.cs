namespace EditorBridge.Cli;

/// <summary>Writes files that are whole or absent.</summary>
internal static class AtomicFile
{
    /// <summary>
    /// Writes beside the final place, to the disk, and only then gives the file its name. An existing file stays as it is until that moment.
    /// </summary>
    public static void Write(string path, ReadOnlySpan<byte> content)
    {
        var full = Path.GetFullPath(path);
        var partial = Path.Combine(Path.GetDirectoryName(full)!, $".{Path.GetFileName(full)}.{Guid.NewGuid():N}.part");
        try
        {
            using (var stream = new FileStream(partial, FileMode.CreateNew, FileAccess.Write, FileShare.None))
            {
                stream.Write(content);
                stream.Flush(flushToDisk: true);
            }

            File.Move(partial, full, overwrite: true);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new Refused("CANNOT_WRITE", $"{full} cannot be written: {error.Message.TrimEnd('.')}.");
        }
        finally
        {
            try
            {
                File.Delete(partial);
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                // What failed before says more than that the rest of it could not be removed.
            }
        }
    }
}
