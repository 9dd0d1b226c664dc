using CsCheck;
using EditorBridge.Timeline.Edits;
using EditorBridge.Timeline.Mlt;
using EditorBridge.Timeline.Osp;
using EditorBridge.Timeline.Otio;
using Xunit.Abstractions;

namespace EditorBridge.Timeline.Tests;

/// <summary>
/// Edits of random timelines against a second way of telling the result: a track as the list of what each frame shows, on which
/// overwriting and inserting are plain list operations.
/// </summary>
public class EditProperties(ITestOutputHelper output)
{
    private static readonly string[] Justified =
        ["OCCUPIED", "TRANSITION_IN_WAY", "ITEM_HAS_EFFECTS", "RIPPLE_REFUSED", "NO_HANDLES", "RANGE_OUTSIDE", "NESTED_ITEM"];

    private static readonly Gen<(int Seed, int Track, int Start, int Frames, bool Flag)> Cases =
        Gen.Select(Gen.Int[0, int.MaxValue], Gen.Int[0, 9], Gen.Int[0, 400], Gen.Int[1, 120], Gen.Bool);

    [Fact]
    public void Overwrite_changes_its_range_and_nothing_else() => Check("overwrite", 0.3, (index, at) =>
    {
        var track = index.VideoTracks.ElementAt(at.Track % index.VideoTracks.Count());
        var range = new FrameRange(at.Start, at.Frames);
        return (EditAlgebra.Overwrite(index, track, range, Clip(index, at.Frames), at.Flag),
            frames => Put(frames[track.Index], range));
    });

    [Fact]
    public void Append_adds_at_the_end() => Check("append", 0.5, (index, at) =>
    {
        var track = index.VideoTracks.ElementAt(at.Track % index.VideoTracks.Count());
        return (EditAlgebra.Append(index, track, Clip(index, at.Frames)),
            frames => Put(frames[track.Index], new FrameRange(frames[track.Index].Count, at.Frames)));
    });

    [Fact]
    public void Insert_moves_every_track_by_the_same_frames() => Check("insert", 0.2, (index, at) =>
    {
        var track = index.VideoTracks.ElementAt(at.Track % index.VideoTracks.Count());
        var start = at.Start % (index.Duration + 1);
        return (EditAlgebra.Insert(index, track, start, Clip(index, at.Frames), cutOthers: at.Flag), frames =>
        {
            foreach (var list in frames.Where(list => list != frames[track.Index] && list.Count > start))
                list.InsertRange((int)start, Enumerable.Repeat("-", at.Frames));
            var own = frames[track.Index];
            while (own.Count < start) own.Add("-");
            own.InsertRange((int)start, New(at.Frames));
        });
    });

    [Theory]
    [InlineData(85515907, 0)] // MLT
    [InlineData(25192175, 1)] // OpenShot
    public void An_item_whose_last_frames_would_all_be_a_mix_is_not_cut(int seed, int on)
    {
        // The mix begins with the item after it, so that this one is not longer than it is shown.
        var document = Open(seed);
        var mix = document.Index.VideoTracks.ElementAt(on).Items.Single(item => item.Kind == ItemKind.Transition);
        Assert.Equal((mix.Cut, 1L), (mix.RecordRange.Start, mix.RecordRange.Duration));
        var edit = EditAlgebra.Insert(document.Index, document.Index.VideoTracks.Last(), mix.RecordRange.End, Clip(document.Index, 10), cutOthers: true).Value;
        Assert.False(document.Apply(edit).TryGet(out _, out var refusal));
        Assert.Equal("TRANSITION_IN_WAY", refusal.Reason);
    }

    [Fact]
    public void Fill_takes_exactly_the_gap() => Check("fill", 0.2, (index, at) =>
    {
        var gaps = index.VideoTracks.SelectMany(track => Gaps.Find(track).Select(gap => (track, gap))).ToList();
        if (gaps.Count == 0) return null;
        var (on, chosen) = gaps[at.Start % gaps.Count];
        return (EditAlgebra.Fill(index, on, chosen, Clip(index, (int)chosen.Range.Duration)), frames => Put(frames[on.Index], chosen.Range));
    });

    [Fact]
    public void Place_above_finds_a_free_track_or_adds_one() => Check("above", 0.99, (index, at) =>
    {
        var below = index.VideoTracks.ElementAt(at.Track % index.VideoTracks.Count());
        var range = new FrameRange(at.Start, at.Frames);
        var free = EditAlgebra.FreeTrackAbove(index, below, range);
        return (EditAlgebra.PlaceAbove(index, below, range, Clip(index, at.Frames)), frames =>
        {
            if (free is null) frames.Insert(index.VideoTracks.Last().Index + 1, []);
            Put(frames[free?.Index ?? index.VideoTracks.Last().Index + 1], range);
        });
    });

    [Fact]
    public void Trim_out_uncovers_the_next_frames_of_the_media() => Check("trim out", 0.05, (index, at) =>
    {
        var clips = index.VideoTracks.SelectMany(track => track.Items.Where(item => item.Kind == ItemKind.Clip).Select(item => (track, item))).ToList();
        if (clips.Count == 0) return null;
        var (track, item) = clips[at.Start % clips.Count];
        var atHead = at.Track % 2 == 0;
        var frames = Math.Min(at.Frames, 20);
        return (EditAlgebra.TrimOut(index, track, item, frames, atHead, ripple: at.Flag), lists =>
        {
            var own = lists[track.Index];
            var edge = (int)(atHead ? item.RecordRange.Start : item.RecordRange.End);
            var source = item.SourceRange!.Value;
            var uncovered = Enumerable.Range(0, frames)
                .Select(i => Frame(item.Name, atHead ? source.Start - frames + i : source.End + i)).ToList();
            if (at.Flag)
            {
                foreach (var list in lists.Where(list => list != own && list.Count > edge)) list.InsertRange(edge, Enumerable.Repeat("-", frames));
                own.InsertRange(edge, uncovered);
            }
            else
            {
                if (atHead) edge -= frames;
                own.RemoveRange(edge, Math.Min(frames, own.Count - edge));
                own.InsertRange(edge, uncovered);
            }
        });
    });

    [Fact]
    public void What_a_random_timeline_holds_is_read_in_full()
    {
        Gen.Int[0, int.MaxValue].Sample(seed =>
        {
            var made = new RandomTimeline(seed);
            var index = OtioDocument.Read(made.Bytes).Value.Index;
            Assert.Equal(made.Rate, index.Rate);
            Assert.Equal("Schnitt é日😀 \"1\"/\\", index.Name);
            Assert.All(index.Tracks, track => Assert.Null(track.Problem));
            Assert.All(index.Tracks.SelectMany(track => track.Items), item => Assert.True(item.Kind != ItemKind.Clip || item.SourceRange is not null));
        }, iter: 500);
    }

    [Fact]
    public void What_a_random_MLT_document_holds_is_read_in_full()
    {
        Gen.Int[0, int.MaxValue].Sample(seed =>
        {
            var index = TimelineDocument.Open(new RandomMlt(seed).Bytes).Value.Index;
            Assert.All(index.Tracks, track => Assert.Null(track.Problem));
            Assert.All(index.Tracks.SelectMany(track => track.Items), item => Assert.True(item.Kind != ItemKind.Clip || item.Name.Length > 0));
        }, iter: 500);
    }

    [Fact]
    public void What_random_documents_of_other_formats_hold_is_read_in_full()
    {
        Gen.Int[0, int.MaxValue].Sample(seed =>
        {
            var index = Open(seed).Index;
            Assert.All(index.Tracks, track => Assert.Null(track.Problem));
        }, iter: 500);
    }

    [Fact]
    public void Media_spelled_anew_change_nothing_else()
    {
        Gen.Int[0, int.MaxValue].Sample(seed =>
        {
            var before = OtioDocument.Read(new RandomTimeline(seed).Bytes).Value;
            var edited = before.RespellMedia(url => $"\\{url}?\"é");
            OutsideIsUntouched(before.Bytes.Span, new EditedTimeline(edited.Document, edited.Splices));
            var clips = before.Index.Tracks.SelectMany(track => track.Items).Where(item => item.Media?.Url is not null).ToList();
            Assert.Equal(clips.Count, edited.Splices.Count);
            Assert.Equal(clips.Select(clip => ($"\\{clip.Media!.Url}?\"é", clip.SourceRange, clip.RecordRange)),
                edited.Document.Index.Tracks.SelectMany(track => track.Items).Where(item => item.Media?.Url is not null).Select(clip => (clip.Media!.Url!, clip.SourceRange, clip.RecordRange)));
        }, iter: 300);
    }

    [Fact]
    public void Media_of_other_formats_spelled_anew_change_nothing_else()
    {
        var spelled = 0;
        Gen.Int[0, int.MaxValue].Sample(seed =>
        {
            var before = Open(seed);
            if (before.RespellMedia(url => $"../a & b/{url}") is not { } edited) return;
            OutsideIsUntouched(before.Bytes.Span, edited);
            Interlocked.Add(ref spelled, edited.Splices.Count);
            Assert.Equal(
                before.Index.Tracks.SelectMany(track => track.Items).Select(item => (item.Media?.Url is { } url ? $"../a & b/{url}" : null, item.SourceRange, item.RecordRange)),
                edited.Document.Index.Tracks.SelectMany(track => track.Items).Select(item => (item.Media?.Url, item.SourceRange, item.RecordRange)));
        }, iter: 500);
        Assert.True(spelled > 500, $"only {spelled} places were spelled anew");
    }

    private void Check(string what, double leastShare,
        Func<TimelineIndex, (int Seed, int Track, int Start, int Frames, bool Flag), (Outcome<TimelineEdit> Edit, Action<List<List<string>>> Model)?> make)
    {
        var (done, tried) = (0, 0);
        Cases.Sample(at =>
        {
            var document = Open(at.Seed);
            var first = document is MltDocument or OspDocument ? 0 : 86400;
            if (make(document.Index, at) is not { } made) return;
            Interlocked.Increment(ref tried);
            if (!made.Edit.TryGet(out var edit, out var refusal))
            {
                if (refusal.Reason == "ONE_TRACK") Interlocked.Decrement(ref tried);
                else Assert.Contains(refusal.Reason, Justified);
                return;
            }

            if (!document.Apply(edit).TryGet(out var edited, out refusal))
            {
                // Text that cannot say it, where the index could: frames left over beside a mix, and effects of a whole track.
                Assert.Contains(refusal.Reason, new[] { "TRANSITION_IN_WAY", "RIPPLE_REFUSED", "LINKED_AUDIO", "STORYLINE", "CONNECTED_ITEM", "LINKED_ITEM" });
                Assert.IsNotType<OtioDocument>(document);
                return;
            }

            var expected = document.Index.Tracks.Select(FramesOf).ToList();
            made.Model(expected);
            expected = [.. expected.Select(list => list.Select(frame => frame.StartsWith("NEW@", StringComparison.Ordinal) ? Frame("NEW", Source(frame) - 86400 + first) : frame).ToList())];
            // A gap at a track's end shows what the emptiness after it shows.
            Assert.Equal(expected.Select(Joined), edited.Document.Index.Tracks.Select(FramesOf).Select(Joined));
            Assert.Equal(document.Index.StartFrame, edited.Document.Index.StartFrame);

            var placed = edited.Document.Index.Tracks[edit.TrackIndex];
            Assert.Equal(edit.TrackNumber, placed.Number);
            if (what != "trim out")
            {
                var item = Assert.Single(placed.Items, item => item.Name == "NEW");
                Assert.Equal(edit.RecordRange, item.RecordRange);
                Assert.Equal(new MediaRange(document.Index.Rate, first, edit.RecordRange.Duration), item.SourceRange);
                Assert.EndsWith("/m/NEW.mov", item.Media!.Url, StringComparison.Ordinal);
            }

            OutsideIsUntouched(document.Bytes.Span, edited);
            AudioStays(document.Index, edited.Document.Index, edit);
            Interlocked.Increment(ref done);
        }, iter: 2400);
        output.WriteLine($"{what}: {done} of {tried} carried out");
        Assert.True(done > tried * leastShare, $"Only {done} of {tried} were carried out.");
    }

    // As many documents of each format.
    internal static TimelineDocument Open(int seed)
    {
        if (seed % 6 == 4)
        {
            var list = new RandomEdl(seed);
            return TimelineDocument.Open(list.Bytes, list.Rate).Value;
        }

        return TimelineDocument.Open((seed % 6) switch
        {
            0 => new RandomTimeline(seed).Bytes,
            1 => new RandomMlt(seed).Bytes,
            2 => new RandomXmeml(seed).Bytes,
            3 => new RandomFcpx(seed).Bytes,
            _ => new RandomOsp(seed).Bytes,
        }).Value;
    }

    private static long Source(string frame) => long.Parse(frame[(frame.LastIndexOf('@') + 1)..], System.Globalization.CultureInfo.InvariantCulture);

    internal static void OutsideIsUntouched(ReadOnlySpan<byte> before, EditedTimeline edited)
    {
        BytesOutsideAreTheSame(before, edited);
        // Line endings of new text are the document's.
        if (before.IndexOf("\r\n"u8) >= 0) Assert.DoesNotContain(edited.Splices, splice => HasLoneLineFeed(splice.Replacement.Span));
    }

    internal static void BytesOutsideAreTheSame(ReadOnlySpan<byte> before, EditedTimeline edited)
    {
        var after = edited.Document.Bytes.Span;
        var (old, now) = (0, 0);
        foreach (var splice in edited.Splices)
        {
            Assert.True(splice.Start >= old, "Spans are ascending and apart.");
            Assert.True(before[old..splice.Start].SequenceEqual(after.Slice(now, splice.Start - old)));
            now += splice.Start - old + splice.Replacement.Length;
            old = splice.End;
        }

        Assert.True(before[old..].SequenceEqual(after[now..]));
    }

    private static bool HasLoneLineFeed(ReadOnlySpan<byte> text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '\n' && (i == 0 || text[i - 1] != '\r')) return true;
        }

        return false;
    }

    private static void AudioStays(TimelineIndex before, TimelineIndex after, TimelineEdit edit)
    {
        if (edit.Ripple is not null) return;
        Assert.Equal(before.Tracks.Where(track => track.Kind == TrackKind.Audio).Select(FramesOf),
            after.Tracks.Where(track => track.Kind == TrackKind.Audio).Select(FramesOf));
    }

    private static List<string> FramesOf(Track track) => [.. track.Items.Where(item => item.Kind != ItemKind.Transition)
        .SelectMany(item => Enumerable.Range(0, (int)item.RecordRange.Duration)
            .Select(i => item.Kind == ItemKind.Gap ? "-" : Frame(item.Name, (item.SourceRange?.Start ?? 0) + i)))];

    private static string Joined(List<string> frames)
    {
        var length = frames.FindLastIndex(frame => frame != "-") + 1;
        return string.Join(' ', frames.Take(length));
    }

    private static string Frame(string name, long source) => $"{name}@{source}";

    private static void Put(List<string> frames, FrameRange range)
    {
        while (frames.Count < range.End) frames.Add("-");
        frames.RemoveRange((int)range.Start, (int)range.Duration);
        frames.InsertRange((int)range.Start, New((int)range.Duration));
    }

    private static IEnumerable<string> New(int frames) => Enumerable.Range(0, frames).Select(i => Frame("NEW", 86400 + i));

    private static NewClip Clip(TimelineIndex index, int frames) => new()
    {
        Name = "NEW",
        MediaUrl = "file:///m/NEW.mov",
        AvailableRange = new MediaRange(index.Rate, 86400, frames),
        SourceRange = new MediaRange(index.Rate, 86400, frames),
        MetadataJson = "{\"editorbridge\":{\"prompt\":\"Möwen \\\"über\\\" dem Meer\",\"seed\":1,\"list\":[1,{}]}}",
    };
}
