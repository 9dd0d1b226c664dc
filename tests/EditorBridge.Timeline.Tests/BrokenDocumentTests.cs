using System.Text;
using CsCheck;
using EditorBridge.Timeline.Conversion;
using EditorBridge.Timeline.Edits;
using Xunit.Abstractions;

namespace EditorBridge.Timeline.Tests;

/// <summary>
/// Documents of every format, broken at random: what comes of one is a timeline or one sentence, and edits of what is still read change nothing outside
/// their spans.
/// </summary>
public class BrokenDocumentTests(ITestOutputHelper output)
{
    private static readonly (string Name, byte[] Bytes)[] Goldens = [.. Directory.EnumerateFiles(Path.Combine(AppContext.BaseDirectory, "Goldens")).Order(StringComparer.Ordinal)
        .Where(path => !path.EndsWith(".gitattributes", StringComparison.Ordinal)).Select(path => (Path.GetFileName(path), File.ReadAllBytes(path)))];

    [Fact]
    public void There_is_a_golden_of_every_format() =>
        Assert.Equal([".edl", ".fcpxml", ".kdenlive", ".mlt", ".osp", ".otio", ".xml"], Goldens.Select(golden => Path.GetExtension(golden.Name)).Distinct().Order());

    /// <summary>The same documents each time.</summary>
    [Fact]
    public async Task Broken_documents_are_read_or_refused_in_one_sentence()
    {
        var tally = new Tally();
        await Task.Run(() =>
        {
            for (var seed = 0; seed < 700; seed++) Try(seed, tally);
        }).WaitAsync(TimeSpan.FromMinutes(5));
        output.WriteLine(tally.ToString());
        Assert.True(tally.Read > 150 && tally.Refused > 100 && tally.Edited > 150, tally.ToString());
        tally.IsSure();
    }

    [Fact]
    [Trait("Speed", "slow")]
    public async Task Many_more_of_them_are_too()
    {
        var tally = new Tally();
        await Task.Run(() => Gen.Int[0, int.MaxValue].Sample(seed => Try(seed, tally), iter: 20_000)).WaitAsync(TimeSpan.FromMinutes(30));
        output.WriteLine(tally.ToString());
        tally.IsSure();
    }

    private static void Try(int seed, Tally tally)
    {
        var random = new Random(seed);
        var (name, whole) = Goldens[seed % Goldens.Length];
        var bytes = new BrokenDocument(random).Break(whole);
        try
        {
            if (!TimelineDocument.Open(bytes, FrameRate.Pal).TryGet(out var document, out var refusal))
            {
                IsOneSentence(refusal);
                Interlocked.Increment(ref tally.Refused);
                return;
            }

            Interlocked.Increment(ref tally.Read);
            Assert.True(document.Bytes.Span.SequenceEqual(bytes));
            foreach (var track in document.Index.Tracks.Where(track => track.Problem is not null)) IsOneSentence(track.Problem!);
            foreach (var frame in new[] { 0, document.Index.Duration }) Assert.NotEmpty(document.Index.Label(frame));
            for (var edits = 0; edits < 3; edits++) Edit(document, random, tally);
            var ending = TimelineConversion.Endings[random.Next(TimelineConversion.Endings.Count)];
            if (TimelineConversion.Convert(document, ending, url => url).Refusal is { } inconvertible) IsOneSentence(inconvertible);
            if (document.RespellMedia(url => url + "x") is { } respelled) EditProperties.BytesOutsideAreTheSame(bytes, respelled);
        }
        catch (Exception error)
        {
            throw new InvalidOperationException($"{name}, seed {seed}: {error.Message}\n{Difference(whole, bytes)}", error);
        }
    }

    private static void Edit(TimelineDocument document, Random random, Tally tally)
    {
        var index = document.Index;
        var tracks = index.VideoTracks.ToList();
        var frames = random.Next(1, 60);
        var start = random.NextInt64(Math.Max(0, Math.Min(index.Duration, 10_000)) + 1);
        Outcome<TimelineEdit>? made = null;
        if (tracks.Count > 0 && tracks[random.Next(tracks.Count)] is var track)
        {
            var gaps = Gaps.Find(track);
            var clips = track.Items.Where(item => item.Kind == ItemKind.Clip).ToList();
            made = random.Next(6) switch
            {
                0 when gaps.Count > 0 && gaps[random.Next(gaps.Count)] is var gap => EditAlgebra.Fill(index, track, gap, Clip(index, gap.Range.Duration)),
                1 => EditAlgebra.Overwrite(index, track, new FrameRange(start, frames), Clip(index, frames)),
                2 => EditAlgebra.Append(index, track, Clip(index, frames)),
                3 => EditAlgebra.Insert(index, track, start, Clip(index, frames), cutOthers: random.Next(2) == 0),
                4 when clips.Count > 0 => EditAlgebra.TrimOut(index, track, clips[random.Next(clips.Count)], random.Next(1, 12), atHead: random.Next(2) == 0, ripple: random.Next(2) == 0),
                _ => default(Outcome<TimelineEdit>?),
            };
        }

        made ??= EditAlgebra.PlaceAbove(index, tracks.FirstOrDefault(), new FrameRange(start, frames), Clip(index, frames));
        if (!made.Value.TryGet(out var edit, out var refusal) || !document.Apply(edit).TryGet(out var edited, out refusal))
        {
            IsOneSentence(refusal);
            if (refusal.Reason == "EDIT_UNSAFE") Interlocked.Increment(ref tally.Unsafe);
            return;
        }

        EditProperties.BytesOutsideAreTheSame(document.Bytes.Span, edited);
        Interlocked.Increment(ref tally.Edited);
    }

    private static void IsOneSentence(Refusal refusal)
    {
        Assert.Matches("^[A-Z_]+$", refusal.Reason);
        Assert.True(refusal.Message.Length is > 20 and < 1000, refusal.Message);
        Assert.True(refusal.Message.EndsWith('.') || refusal.Message.EndsWith(")."), refusal.Message);
        Assert.DoesNotContain(refusal.Message, char.IsControl);
    }

    private static NewClip Clip(TimelineIndex index, long frames) => MltTests.Clip(frames) with
    {
        AvailableRange = new MediaRange(index.Rate, 1000, frames),
        SourceRange = new MediaRange(index.Rate, 1000, frames),
    };

    private static string Difference(byte[] whole, byte[] broken)
    {
        var start = whole.AsSpan().CommonPrefixLength(broken);
        return $"from byte {start}: …{Encoding.UTF8.GetString(broken.AsSpan(Math.Max(0, start - 80)..Math.Min(broken.Length, start + 400)))}…";
    }

    private sealed class Tally
    {
        public int Read;
        public int Refused;
        public int Edited;
        public int Unsafe;

        /// <summary>That an edit comes out other than meant is to be caught before it is tried, but where a document contradicts itself.</summary>
        public void IsSure() => Assert.True(Unsafe * 100 <= Edited, ToString());

        public override string ToString() => $"{Read} read, {Refused} refused, {Edited} edits carried out, {Unsafe} taken back";
    }
}
