using System.IO.Compression;

namespace EditorBridge.Timeline.Bundles;

/// <summary>
/// A timeline with what belongs to it: the folders .otiod (OpenTimelineIO with media) and .fcpxmld (FCPXML with what its adjustments need), and the
/// zip file .otioz. Disposing it takes away what was unpacked.
/// </summary>
public sealed class TimelineBundle : IDisposable
{
    private const string ContentOtio = "content.otio";
    private const string InfoFcpxml = "Info.fcpxml";
    private const long MostDocumentBytes = 256 << 20;

    private readonly string path;
    private readonly string documentName;
    private readonly ZipDirectory? directory;
    private string? unpacked;

    private TimelineBundle(string path, string documentName, byte[] document, ZipDirectory? directory)
    {
        this.path = path;
        this.documentName = documentName;
        this.directory = directory;
        Document = document;
    }

    /// <summary>The text of the timeline.</summary>
    public ReadOnlyMemory<byte> Document { get; }

    /// <summary>Whether new media go into the bundle, named relative to it.</summary>
    public bool HoldsMedia => documentName == ContentOtio;

    /// <summary>Whether it is a folder.</summary>
    public bool IsFolder => directory is null;

    /// <summary>The folder that the timeline's relative names count from. Of a zip file: where <see cref="Unpack"/> puts media.</summary>
    public string Folder => IsFolder ? path : unpacked ??= Directory.CreateTempSubdirectory("editorbridge-otioz-").FullName;

    /// <summary>Whether a name is that of a bundle.</summary>
    public static bool IsBundle(string path) => Ending(path) is ".otioz" or ".otiod" or ".fcpxmld";

    /// <summary>Opens a bundle.</summary>
    /// <param name="path">A full path.</param>
    /// <returns>The bundle, or why it cannot be read.</returns>
    public static Outcome<TimelineBundle> Open(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        try
        {
            if (Ending(path) == ".otioz") return OpenZip(path);
            var name = Ending(path) == ".otiod" ? ContentOtio : InfoFcpxml;
            if (!Directory.Exists(path)) return new Refusal("TIMELINE_UNREADABLE", $"{path} is a file, but bundles of its kind are folders: export it again.");
            var file = new FileInfo(Path.Combine(path, name));
            if (!file.Exists) return new Refusal("TIMELINE_UNREADABLE", $"{path} holds no {name}: export it again.");
            if (file.Length > MostDocumentBytes) return new Refusal("DOCUMENT_TOO_LARGE", $"{file.FullName} has more than {MostDocumentBytes >> 20} MiB.");
            return new TimelineBundle(path, name, File.ReadAllBytes(file.FullName), null);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            return new Refusal("TIMELINE_UNREADABLE", $"The timeline {path} cannot be read: {error.Message}");
        }
    }

    /// <summary>Whether a zip bundle holds a medium.</summary>
    public bool Contains(string url)
    {
        ArgumentNullException.ThrowIfNull(url);
        return Find(url) is not null;
    }

    /// <summary>Why a medium cannot be read that a zip bundle names as its own and does not hold; null for every other.</summary>
    public Refusal? Lacks(string url)
    {
        ArgumentNullException.ThrowIfNull(url);
        return IsFolder || !IsRelative(url) || Find(url) is not null
            ? null
            : new Refusal("MEDIA_OFFLINE", $"The bundle {path} holds no '{url}': export it again with its media.");
    }

    /// <summary>Unpacks a medium of a zip bundle, so that others can read it as a file; does nothing for folders and for media elsewhere.</summary>
    /// <param name="url">The medium, as the timeline names it.</param>
    /// <returns>Why it cannot be; null when it was, or needs not to be.</returns>
    public Refusal? Unpack(string url)
    {
        ArgumentNullException.ThrowIfNull(url);
        if (Find(url) is not { } entry) return null;
        var target = Path.GetFullPath(Path.Combine(Folder, entry.Name));
        if (!target.StartsWith(Folder + Path.DirectorySeparatorChar, StringComparison.Ordinal))
            return new Refusal("BUNDLE_UNREADABLE", $"The bundle names a medium outside itself ('{entry.Name}'): export it again.");
        if (File.Exists(target)) return null;
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            using var zip = ZipFile.OpenRead(path);
            using var from = zip.GetEntry(entry.Name)!.Open();
            using var to = new FileStream(target, FileMode.CreateNew, FileAccess.Write);
            from.CopyTo(to);
            return null;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            return new Refusal("BUNDLE_UNREADABLE", $"{entry.Name} cannot be taken out of {path}: {error.Message}");
        }
    }

    /// <summary>Writes the bundle again, with another timeline and further media in it. All else is copied to the byte.</summary>
    /// <param name="target">Where to: a file for a zip bundle, else a folder, which may hold the new media already.</param>
    /// <param name="document">The timeline.</param>
    /// <param name="media">New media of a zip bundle: the name in it, and the file.</param>
    /// <exception cref="IOException">It cannot be written.</exception>
    public void Write(string target, ReadOnlyMemory<byte> document, IReadOnlyList<(string Name, string File)> media)
    {
        ArgumentNullException.ThrowIfNull(media);
        if (IsFolder)
        {
            WriteFolder(target, document);
            return;
        }

        var partial = Path.Combine(Path.GetDirectoryName(target)!, $".{Path.GetFileName(target)}.{Guid.NewGuid():N}.part");
        try
        {
            using (var original = File.OpenRead(path))
            using (var stream = new FileStream(partial, FileMode.CreateNew, FileAccess.Write))
            {
                var entries = new List<ZipRewrite.NewEntry> { new(documentName, () => new MemoryStream(document.ToArray(), writable: false)) };
                entries.AddRange(media.Select(medium => new ZipRewrite.NewEntry(medium.Name, () => File.OpenRead(medium.File))));
                ZipRewrite.Write(original, directory!, stream, entries);
                stream.Flush(flushToDisk: true);
            }

            File.Move(partial, target, overwrite: true);
        }
        finally
        {
            File.Delete(partial);
        }
    }

    private void WriteFolder(string target, ReadOnlyMemory<byte> document)
    {
        var made = new List<string>();
        try
        {
            foreach (var file in Directory.EnumerateFiles(path, "*", SearchOption.AllDirectories))
            {
                var name = Path.GetRelativePath(path, file);
                if (name == documentName) continue;
                var copy = Path.Combine(target, name);
                if (File.Exists(copy)) throw new IOException($"The file '{copy}' is there already.");
                Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
                made.Add(copy);
                File.Copy(file, copy, overwrite: false);
            }

            // Last, so that a bundle that was not finished is none.
            Directory.CreateDirectory(target);
            var content = Path.Combine(target, documentName);
            if (File.Exists(content)) throw new IOException($"The file '{content}' is there already.");
            made.Add(content);
            using var stream = new FileStream(content, FileMode.CreateNew, FileAccess.Write);
            stream.Write(document.Span);
            stream.Flush(flushToDisk: true);
        }
        catch
        {
            TakeAway(target, made);
            throw;
        }
    }

    // What the caller put there before stays; folders go that nothing is left in.
    private static void TakeAway(string target, List<string> files)
    {
        try
        {
            foreach (var file in files)
            {
                File.Delete(file);
                for (var folder = Path.GetDirectoryName(file)!; folder.Length >= target.Length && Directory.Exists(folder) && !Directory.EnumerateFileSystemEntries(folder).Any(); folder = Path.GetDirectoryName(folder)!)
                    Directory.Delete(folder);
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // Why the copy failed says more.
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (unpacked is null) return;
        try
        {
            Directory.Delete(unpacked, recursive: true);
        }
        catch (IOException)
        {
            // A file of it is still open somewhere; the system clears its temporary files in time.
        }

        unpacked = null;
    }

    private static Outcome<TimelineBundle> OpenZip(string path)
    {
        using var stream = File.OpenRead(path);
        if (!ZipDirectory.Read(stream).TryGet(out var directory, out var refusal)) return refusal;
        stream.Position = 0;
        using var zip = new ZipArchive(stream, ZipArchiveMode.Read);
        var contents = zip.Entries.Where(entry => entry.FullName == ContentOtio).ToList();
        if (contents.Count != 1) return new Refusal("BUNDLE_UNREADABLE", $"{path} holds {(contents.Count == 0 ? "no" : "more than one")} {ContentOtio}: export it again.");
        if (contents[0].Length > MostDocumentBytes) return new Refusal("DOCUMENT_TOO_LARGE", $"The timeline in {path} has more than {MostDocumentBytes >> 20} MiB.");
        using var content = contents[0].Open();
        var document = new byte[contents[0].Length];
        content.ReadExactly(document);
        // An entry that goes on beyond its own length is no honest one.
        return content.ReadByte() < 0 ? new TimelineBundle(path, ContentOtio, document, directory) : new Refusal("BUNDLE_UNREADABLE", $"The timeline in {path} is longer than it says: export it again.");
    }

    private ZipEntryRecord? Find(string url)
    {
        if (IsFolder || !IsRelative(url)) return null;
        var unescaped = Uri.UnescapeDataString(url);
        return directory!.Entries.FirstOrDefault(entry => entry.Name == url || entry.Name == unescaped);
    }

    private static bool IsRelative(string url) => !url.Contains(':', StringComparison.Ordinal) && !Path.IsPathRooted(url);

    private static string Ending(string path) => Path.GetExtension(path.TrimEnd('/', '\\')).ToLowerInvariant();
}
