using System.IO.Compression;
using System.Text;
using CsCheck;
using EditorBridge.Timeline.Bundles;

namespace EditorBridge.Timeline.Tests;

/// <summary>Timelines in folders and zip files: everything but the timeline stays to the byte.</summary>
public sealed class BundleTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("eb-bundle-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void A_folder_bundle_that_cannot_be_copied_whole_leaves_nothing_of_it_behind()
    {
        var source = Path.Combine(folder, "in.otiod");
        Directory.CreateDirectory(Path.Combine(source, "media", "deep"));
        File.WriteAllText(Path.Combine(source, "content.otio"), "{}");
        foreach (var name in (string[])["a.mov", "b.mov", "deep/c.mov", "deep/d.mov"]) File.WriteAllText(Path.Combine(source, "media", name), name);
        using var bundle = TimelineBundle.Open(source).Value;

        var fresh = Path.Combine(folder, "fresh.otiod");
        File.CreateSymbolicLink(Path.Combine(source, "media", "gone.mov"), Path.Combine(folder, "none"));
        Assert.ThrowsAny<IOException>(() => bundle.Write(fresh, "{}"u8.ToArray(), []));
        Assert.False(Directory.Exists(fresh));

        // What was put there before, such as a clip that took an hour, stays.
        var begun = Path.Combine(folder, "begun.otiod");
        Directory.CreateDirectory(Path.Combine(begun, "media", "deep"));
        File.WriteAllText(Path.Combine(begun, "media", "new.mov"), "new");
        File.WriteAllText(Path.Combine(begun, "media", "deep", "d.mov"), "mine");
        File.Delete(Path.Combine(source, "media", "gone.mov"));
        Assert.ThrowsAny<IOException>(() => bundle.Write(begun, "{}"u8.ToArray(), []));
        Assert.Equal(["media/deep/d.mov", "media/new.mov"],
            Directory.EnumerateFiles(begun, "*", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(begun, file).Replace('\\', '/')).Order(StringComparer.Ordinal));
        Assert.Equal("mine", File.ReadAllText(Path.Combine(begun, "media", "deep", "d.mov")));
    }

    [Fact]
    public void A_medium_that_a_zip_bundle_lacks_is_named_as_the_timeline_names_it()
    {
        var path = Path.Combine(folder, "bare.otioz");
        using (var zip = ZipFile.Open(path, ZipArchiveMode.Create))
        {
            foreach (var name in (string[])["content.otio", "media/é 1.mov"]) zip.CreateEntry(name);
        }

        using var bundle = TimelineBundle.Open(path).Value;
        Assert.Null(bundle.Lacks("media/%C3%A9%201.mov"));
        Assert.Null(bundle.Lacks("file:///elsewhere/b.mov"));
        Assert.Equal($"The bundle {path} holds no 'media/b.mov': export it again with its media.", bundle.Lacks("media/b.mov")!.Message);
    }

    [Fact]
    public void Other_entries_of_a_zip_bundle_stay_as_they_are_stored()
    {
        Gen.Select(Gen.Int[0, int.MaxValue], Gen.Int[0, 6]).Sample((seed, count) =>
        {
            var random = new Random(seed);
            var path = Path.Combine(folder, $"{Guid.NewGuid()}.otioz");
            var parts = new List<(string Name, byte[] Content, CompressionLevel Level)> { ("content.otio", Encoding.UTF8.GetBytes("{\"old\": 1}"), CompressionLevel.Optimal) };
            for (var i = 0; i < count; i++)
            {
                var content = new byte[random.Next(0, 4000)];
                if (random.Next(2) == 0) random.NextBytes(content);
                parts.Add(($"media/é {i}.mov", content, (CompressionLevel)random.Next(0, 4)));
            }

            using (var zip = ZipFile.Open(path, ZipArchiveMode.Create))
            {
                foreach (var part in parts.OrderBy(_ => random.Next()))
                {
                    using var stream = zip.CreateEntry(part.Name, part.Level).Open();
                    stream.Write(part.Content);
                }

                if (random.Next(2) == 0) zip.Comment = "made by hand";
            }

            var added = Path.Combine(folder, $"{seed}-{count}.new");
            File.WriteAllBytes(added, [1, 2, 3]);
            var target = Path.Combine(folder, $"{seed}-{count}.out.otioz");
            using (var bundle = TimelineBundle.Open(path).Value)
            {
                Assert.Equal("{\"old\": 1}", Encoding.UTF8.GetString(bundle.Document.Span));
                bundle.Write(target, Encoding.UTF8.GetBytes("{\"new\": 2}"), [("media/GEN.mov", added)]);
            }

            using var before = File.OpenRead(path);
            using var after = File.OpenRead(target);
            var (old, now) = (ZipDirectory.Read(before).Value, ZipDirectory.Read(after).Value);
            Assert.Equal(old.Entries.Where(entry => entry.Name != "content.otio").Select(entry => (entry.Name, Convert.ToHexString(Stored(before, old, entry)))),
                now.Entries.Where(entry => entry.Name is not ("content.otio" or "media/GEN.mov")).Select(entry => (entry.Name, Convert.ToHexString(Stored(after, now, entry)))));
            // And another's reader agrees on what is in it.
            after.Position = 0;
            using var read = new ZipArchive(after, ZipArchiveMode.Read);
            Assert.Equal(parts.Count + 1, read.Entries.Count);
            foreach (var part in parts.Skip(1)) Assert.Equal(part.Content, Content(read, part.Name));
            Assert.Equal("{\"new\": 2}", Encoding.UTF8.GetString(Content(read, "content.otio")));
            Assert.Equal([1, 2, 3], Content(read, "media/GEN.mov"));
        }, iter: 60);
    }

    [Fact]
    public void Media_of_a_zip_bundle_are_unpacked_when_they_are_wanted_and_nowhere_else()
    {
        var path = Path.Combine(folder, "a.otioz");
        using (var zip = ZipFile.Open(path, ZipArchiveMode.Create))
        {
            foreach (var name in new[] { "content.otio", "media/a b.mov", "../../evil.mov" })
            {
                using var stream = zip.CreateEntry(name).Open();
                stream.WriteByte((byte)name.Length);
            }
        }

        string unpacked;
        using (var bundle = TimelineBundle.Open(path).Value)
        {
            unpacked = bundle.Folder;
            Assert.Null(bundle.Unpack("media/a%20b.mov"));
            Assert.Equal([13], File.ReadAllBytes(Path.Combine(unpacked, "media", "a b.mov")));
            Assert.Null(bundle.Unpack("file:///m/elsewhere.mov"));
            Assert.Null(bundle.Unpack("media/missing.mov"));
            Assert.Equal("BUNDLE_UNREADABLE", bundle.Unpack("../../evil.mov")!.Reason);
            Assert.Single(Directory.EnumerateFiles(unpacked, "*", SearchOption.AllDirectories));
        }

        Assert.False(Directory.Exists(unpacked));
    }

    [Fact]
    public void A_folder_is_copied_with_its_new_timeline()
    {
        var source = Directory.CreateDirectory(Path.Combine(folder, "Cut.fcpxmld")).FullName;
        File.WriteAllText(Path.Combine(source, "Info.fcpxml"), MltTests.Text("cut.fcpxml"));
        Directory.CreateDirectory(Path.Combine(source, "Tracking"));
        File.WriteAllBytes(Path.Combine(source, "Tracking", "data.bin"), [0, 1, 2]);
        var target = Path.Combine(folder, "Out.fcpxmld");
        using var bundle = TimelineBundle.Open(source).Value;
        Assert.True(TimelineDocument.Open(bundle.Document.Span).Value.Index.Duration > 0);
        bundle.Write(target, new byte[] { 7 }, []);
        Assert.Equal([0, 1, 2], File.ReadAllBytes(Path.Combine(target, "Tracking", "data.bin")));
        Assert.Equal([7], File.ReadAllBytes(Path.Combine(target, "Info.fcpxml")));
        Assert.Equal(MltTests.Text("cut.fcpxml"), File.ReadAllText(Path.Combine(source, "Info.fcpxml")));
    }

    [Fact]
    public void What_is_no_bundle_is_said()
    {
        var path = Path.Combine(folder, "b.otioz");
        File.WriteAllText(path, "not a zip");
        Assert.Equal("BUNDLE_UNREADABLE", TimelineBundle.Open(path).Refusal!.Reason);
        using (var zip = ZipFile.Open(path + ".otioz", ZipArchiveMode.Create)) zip.CreateEntry("other");
        Assert.Contains("content.otio", TimelineBundle.Open(path + ".otioz").Refusal!.Message, StringComparison.Ordinal);
        Assert.Equal("TIMELINE_UNREADABLE", TimelineBundle.Open(Path.Combine(folder, "none.otiod")).Refusal!.Reason);
        Directory.CreateDirectory(Path.Combine(folder, "empty.fcpxmld"));
        Assert.Contains("Info.fcpxml", TimelineBundle.Open(Path.Combine(folder, "empty.fcpxmld")).Refusal!.Message, StringComparison.Ordinal);
        // Any damage is refused, or read; never thrown at.
        var whole = File.ReadAllBytes(path + ".otioz");
        Gen.Select(Gen.Int[0, whole.Length - 1], Gen.Byte).Sample((at, put) =>
        {
            var broken = (byte[])whole.Clone();
            broken[at] = put;
            var name = Path.Combine(folder, $"{Guid.NewGuid()}.otioz");
            File.WriteAllBytes(name, broken);
            _ = TimelineBundle.Open(name).TryGet(out _, out _);
            File.Delete(name);
        }, iter: 300);
    }

    private static byte[] Stored(Stream zip, ZipDirectory directory, ZipEntryRecord entry)
    {
        var end = directory.Entries.Where(other => other.LocalOffset > entry.LocalOffset).Select(other => other.LocalOffset).DefaultIfEmpty(directory.Start).Min();
        var bytes = new byte[end - entry.LocalOffset];
        zip.Position = entry.LocalOffset;
        zip.ReadExactly(bytes);
        return bytes;
    }

    private static byte[] Content(ZipArchive zip, string name)
    {
        using var stream = zip.GetEntry(name)!.Open();
        using var memory = new MemoryStream();
        stream.CopyTo(memory);
        return memory.ToArray();
    }
}
