namespace EditorBridge.Host;

/// <summary>
/// A little of the data folder's disk, set aside while there is plenty, and given back when the disk is full: enough to write down that a job
/// failed for want of space, and for the host to start.
/// </summary>
internal sealed class DiskReserve(DataFolder folder)
{
    private const int Size = 2 << 20;

    private string File => Path.Combine(folder.Root, "reserve");

    /// <summary>Sets the space aside where it is not and there is plenty.</summary>
    public void Keep()
    {
        try
        {
            if (System.IO.File.Exists(File) || folder.FreeBytes() < 4L * Size) return;
            // Written, not only made long: holes take no space.
            System.IO.File.WriteAllBytes(File, new byte[Size]);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Without it a full disk is noticed a little later.
            Release();
        }
    }

    /// <summary>At start: gives the space back where the disk is too full to start without it, and sets it aside else.</summary>
    public void Ready()
    {
        if (folder.FreeBytes() < Size) Release();
        else Keep();
    }

    /// <summary>Gives the space back.</summary>
    /// <returns>Whether there was any.</returns>
    public bool Release()
    {
        try
        {
            if (!System.IO.File.Exists(File)) return false;
            System.IO.File.Delete(File);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
