using System.Text;
using System.Text.Json.Nodes;
using EditorBridge.Timeline.Edits;

namespace EditorBridge.Timeline.Tests;

/// <summary>The three jobs on an OpenShot project, and what is refused.</summary>
public class OspTests
{
    [Fact]
    public void Reads_layers_clips_and_what_overlaps()
    {
        var document = Open();
        var index = document.Index;
        Assert.Equal(("OpenShot project", FrameRate.Pal, 2), (document.Format, index.Rate, index.Tracks.Count));
        Assert.All(index.Tracks, track => Assert.Null(track.Problem));
        var items = index.Tracks[0].Items;
        Assert.Equal([ItemKind.Clip, ItemKind.Gap, ItemKind.Clip, ItemKind.Transition, ItemKind.Clip], items.Select(item => item.Kind));
        Assert.Equal([(0, 50), (50, 75), (75, 120), (115, 125), (120, 165)], FcpxTests.Places(index.Tracks[0]));
        Assert.Equal(("réd / \"1\"", "red.mov", new MediaRange(FrameRate.Pal, 10, 50)), (items[0].Name, items[0].Media!.Url, items[0].SourceRange!.Value));
        Assert.Equal(new Handles(10, 40), Handles.Of(items[0], index.Rate));
        Assert.Equal(new MediaRange(FrameRate.Pal, 10, 45), items[4].SourceRange);
        Assert.Equal("Transition", Assert.Single(items[2].Effects).Name);
    }

    [Fact]
    public void Fill_takes_the_gap()
    {
        var document = Open();
        var track = document.Index.Tracks[0];
        var edited = MltTests.Apply(document, EditAlgebra.Fill(document.Index, track, Gaps.Find(track)[0], MltTests.Clip(25)));
        var item = edited.Index.Tracks[0].Items[1];
        Assert.Equal(("NEW & co", "/m/new.mov", new FrameRange(50, 25), new MediaRange(FrameRate.Pal, 0, 25)), (item.Name, item.Media!.Url, item.RecordRange, item.SourceRange!.Value));
        Assert.Contains("   \"position\": 2.0,\n   \"start\": 0.0,\n   \"end\": 1.0,\n", Text(edited), StringComparison.Ordinal);
    }

    [Fact]
    public void Broll_goes_onto_the_free_layer_or_a_new_one()
    {
        var document = Open();
        var free = EditAlgebra.PlaceAbove(document.Index, document.Index.Tracks[0], new FrameRange(20, 40), MltTests.Clip(40));
        Assert.False(free.Value.AddsTrack);
        var once = MltTests.Apply(document, free);
        var again = EditAlgebra.PlaceAbove(once.Index, once.Index.Tracks[0], new FrameRange(50, 10), MltTests.Clip(10));
        Assert.True(again.Value.AddsTrack);
        var twice = MltTests.Apply(once, again);
        Assert.Equal([(0, 50), (50, 60)], FcpxTests.Places(twice.Index.Tracks[2]));
        Assert.Contains("\"number\": 3000000", Text(twice), StringComparison.Ordinal);
        // The same file is listed once.
        Assert.Equal(1, Text(twice).Split("\"media_type\": \"video\",\n   \"path\": \"/m/new.mov\"").Length - 1);
    }

    [Fact]
    public void A_new_layer_goes_on_top_where_sound_is_on_top()
    {
        var project = JsonNode.Parse(Text(Open()))!;
        var (clips, layers) = (project["clips"]!.AsArray(), project["layers"]!.AsArray());
        var (sound, layer) = (clips[0]!.DeepClone(), layers[0]!.DeepClone());
        (sound["id"], sound["layer"], sound["reader"]!["has_video"]) = ("SOUND", 9_000_000, false);
        (layer["id"], layer["number"]) = ("TOP", 9_000_000);
        clips.Add(sound);
        layers.Add(layer);
        var document = TimelineDocument.Open(Encoding.UTF8.GetBytes(project.ToJsonString())).Value;
        Assert.Equal((TrackKind.Audio, "A1"), (document.Index.Tracks[^1].Kind, document.Index.Tracks[^1].Label));
        var edit = EditAlgebra.PlaceAbove(document.Index, document.Index.VideoTracks.Last(), new FrameRange(5, 10), MltTests.Clip(10));
        Assert.True(edit.Value.AddsTrack);
        var edited = MltTests.Apply(document, edit);
        Assert.Equal((TrackKind.Video, $"V{document.Index.VideoTracks.Count() + 1}", TrackKind.Audio), (edited.Index.Tracks[^1].Kind, edited.Index.Tracks[^1].Label, edited.Index.Tracks[^2].Kind));
        Assert.Contains("\"number\":10000000", Text(edited).Replace(" ", "", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    [Fact]
    public void Extend_uses_handles_and_then_adds_frames_beyond_the_end()
    {
        var document = Open();
        var track = document.Index.Tracks[0];
        var longer = MltTests.Apply(document, EditAlgebra.TrimOut(document.Index, track, track.Items[0], 10));
        Assert.Contains("\"end\": 2.8", Text(longer), StringComparison.Ordinal);
        var appended = MltTests.Apply(longer, EditAlgebra.Append(longer.Index, longer.Index.Tracks[0], MltTests.Clip(50)));
        Assert.Equal(215, appended.Index.Duration);
        Assert.Contains("\"duration\": 8.6,\n \"layers\"", Text(appended), StringComparison.Ordinal);
    }

    [Fact]
    public void Insert_moves_masks_and_markers_with_their_clips()
    {
        var document = Open();
        var edited = MltTests.Apply(document, EditAlgebra.Insert(document.Index, document.Index.Tracks[0], 60, MltTests.Clip(10)));
        Assert.Equal([(0, 50), (50, 60), (60, 70), (70, 85), (85, 130), (125, 135), (130, 175)], FcpxTests.Places(edited.Index.Tracks[0]));
        Assert.Contains("\"position\": 3.6", Text(edited), StringComparison.Ordinal);
        Assert.Contains("\"position\": 5.0", Text(edited), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(110, 10, "TRANSITION_IN_WAY")]
    [InlineData(80, 10, "ITEM_HAS_EFFECTS")]
    public void What_would_do_damage_is_refused(int start, int frames, string reason)
    {
        var index = Open().Index;
        Assert.Equal(reason, EditAlgebra.Overwrite(index, index.Tracks[0], new FrameRange(start, frames), MltTests.Clip(frames)).Refusal!.Reason);
    }

    [Fact]
    public void Sound_in_the_same_clip_is_not_cut_with_the_picture()
    {
        var document = Open("\"has_audio\": false,\n    \"has_video\"", "\"has_audio\": true,\n    \"has_video\"");
        Assert.Equal("LINKED_AUDIO", document.Apply(EditAlgebra.Overwrite(document.Index, document.Index.Tracks[0], new FrameRange(10, 10), MltTests.Clip(10)).Value).Refusal!.Reason);
        Assert.Null(Open().Apply(EditAlgebra.Overwrite(Open().Index, Open().Index.Tracks[0], new FrameRange(10, 10), MltTests.Clip(10)).Value).Refusal);
        Assert.Equal("LINKED_AUDIO", document.Apply(EditAlgebra.Overwrite(document.Index, document.Index.Tracks[0], new FrameRange(0, 50), MltTests.Clip(50)).Value).Refusal!.Reason);
    }

    [Theory]
    [InlineData("\"num\": 25", "\"num\": 0", "RATE_UNKNOWN")]
    [InlineData("\"number\": 2000000", "\"number\": 1000000", "DOCUMENT_MALFORMED")]
    [InlineData("\"position\": 0.0", "\"position\": 1e300", "ITEM_UNKNOWN")]
    [InlineData("\"position\": 0.0", "\"position\": -1", "ITEM_UNKNOWN")]
    [InlineData("\"position\": 0.0", "\"position\": NaN", "ITEM_UNKNOWN")]
    [InlineData("\"position\": 0.0", "\"position\": 3.1", "TRANSITION_IN_WAY")]
    [InlineData("\"lock\": false", "\"lock\": true", "TRACK_LOCKED")]
    public void What_cannot_be_told_is_said(string from, string to, string reason)
    {
        var bytes = Encoding.UTF8.GetBytes(Replace(MltTests.Text("cut.osp"), from, to));
        Assert.Equal(reason, TimelineDocument.Open(bytes).TryGet(out var document, out var refusal) ? document.Index.Tracks[0].Problem?.Reason : refusal.Reason);
    }

    [Theory]
    [InlineData("\"title\": \"green\"", "\"title\": \"green\", \"time\": {\"Points\": [{\"co\": {\"X\": 1, \"Y\": 1}}, {\"co\": {\"X\": 9, \"Y\": 4}}]}", true)]
    [InlineData("\"title\": \"green\"", "\"title\": \"green\", \"alpha\": {\"Points\": [{\"co\": {\"X\": 1, \"Y\": 1}}, {\"co\": {\"X\": 9, \"Y\": 0}}]}", false)]
    public void Speeds_and_keyframes_are_known(string from, string to, bool retimed)
    {
        var item = Open(from, to).Index.Tracks[0].Items[2];
        Assert.Equal((retimed, 2), (item.ChangesTime, item.Effects.Count));
    }

    private static TimelineDocument Open(string? from = null, string to = "") =>
        TimelineDocument.Open(Encoding.UTF8.GetBytes(from is null ? MltTests.Text("cut.osp") : Replace(MltTests.Text("cut.osp"), from, to))).Value;

    private static string Replace(string text, string from, string to)
    {
        Assert.Contains(from, text, StringComparison.Ordinal);
        return text.Replace(from, to, StringComparison.Ordinal);
    }

    private static string Text(TimelineDocument document) => Encoding.UTF8.GetString(document.Bytes.Span);
}
