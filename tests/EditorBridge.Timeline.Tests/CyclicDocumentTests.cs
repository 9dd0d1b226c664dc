using System.Text;
using EditorBridge.Timeline.Edits;

namespace EditorBridge.Timeline.Tests;

/// <summary>Documents that lead back into themselves are read to an end, and edits that would change them in two places are refused.</summary>
public class CyclicDocumentTests
{
    [Theory]
    // The tractor is a track of its own.
    [InlineData("<track producer=\"playlist0\"/>", "<track producer=\"tractor0\"/>")]
    // A playlist plays itself.
    [InlineData("<entry producer=\"chain1\"", "<entry producer=\"playlist0\" in=\"0\" out=\"9\"/>\n    <entry producer=\"chain1\"")]
    // Two playlists play each other.
    [InlineData("<playlist id=\"playlist0\">", "<playlist id=\"other\">\n    <entry producer=\"playlist0\" in=\"0\" out=\"9\"/>\n  </playlist>\n  <playlist id=\"playlist0\">\n    <entry producer=\"other\" in=\"0\" out=\"9\"/>")]
    // The timeline is played on its own track.
    [InlineData("<entry producer=\"chain1\"", "<entry producer=\"tractor0\" in=\"0\" out=\"9\"/>\n    <entry producer=\"chain1\"")]
    // By way of another tractor.
    [InlineData("<playlist id=\"playlist0\">", "<tractor id=\"other\" in=\"0\" out=\"9\">\n    <track producer=\"tractor0\"/>\n  </tractor>\n  <playlist id=\"playlist0\">\n    <entry producer=\"other\" in=\"0\" out=\"9\"/>")]
    // Two tracks play one playlist.
    [InlineData("<track producer=\"playlist0\"/>", "<track producer=\"playlist0\"/>\n    <track producer=\"playlist0\"/>")]
    public void Shotcut(string from, string to)
    {
        var document = Open("shotcut.mlt", from, to);
        var track = document.Index.VideoTracks.First();
        Assert.Equal("TRACK_NOT_EDITABLE", track.Problem!.Reason);
        Assert.Equal("TRACK_NOT_EDITABLE", EditAlgebra.Append(document.Index, track, MltTests.Clip(5)).Refusal!.Reason);
        // What plays itself stays as it is, and a track can come above it all the same.
        var edited = MltTests.Apply(document, EditAlgebra.PlaceAbove(document.Index, document.Index.VideoTracks.Last(), new FrameRange(0, 10), MltTests.Clip(10)));
        Assert.Equal("NEW & co", edited.Index.VideoTracks.Last().Items[0].Name);
    }

    [Theory]
    [InlineData("<entry producer=\"producer4\"", "<entry producer=\"{3c7b1c2e-0d3c-4a55-9a13-1f2f8d1e9c10}\" in=\"0\" out=\"9\"/>\r\n  <entry producer=\"producer4\"")]
    [InlineData("<entry producer=\"producer4\"", "<entry producer=\"tractor1\" in=\"0\" out=\"9\"/>\r\n  <entry producer=\"producer4\"")]
    [InlineData("<track hide=\"audio\" producer=\"playlist2\"/>", "<track hide=\"audio\" producer=\"main_bin\"/>")]
    public void Kdenlive(string from, string to)
    {
        var track = Open("generation5.kdenlive", from, to).Index.VideoTracks.First();
        Assert.Equal("TRACK_NOT_EDITABLE", track.Problem!.Reason);
    }

    [Theory]
    // A clip is linked with nothing but itself.
    [InlineData("<linkclipref>clipitem-4</linkclipref>", "<linkclipref>clipitem-2</linkclipref>")]
    // A clip's master is the clip, and the master's that of another.
    [InlineData("<masterclipid>masterclip-1</masterclipid>", "<masterclipid>clipitem-1</masterclipid>")]
    // A file is defined within itself.
    [InlineData("<file id=\"file-1\">", "<file id=\"file-1\"><file id=\"file-1\"/>")]
    // The sequence is nested in its own clip, by name.
    [InlineData("<name>red</name>", "<name>red</name><sequence id=\"sequence-1\"/>")]
    public void Xmeml(string from, string to)
    {
        var document = Open("cut.xml", from, to);
        Assert.All(document.Index.Tracks, track => Assert.Null(track.Problem));
        var track = document.Index.VideoTracks.First();
        var edited = MltTests.Apply(document, EditAlgebra.Fill(document.Index, track, Gaps.Find(track)[0], MltTests.Clip(25)));
        Assert.Equal(new FrameRange(50, 25), edited.Index.VideoTracks.First().Items[1].RecordRange);
        _ = document.Apply(EditAlgebra.PlaceAbove(document.Index, track, new FrameRange(0, 10), MltTests.Clip(10)).Value).Value;
    }

    [Theory]
    // A compound clip whose medium is the sequence that it lies in.
    [InlineData("<asset id=\"r3\"", "<media id=\"r99\"><sequence format=\"r1\" duration=\"50/25s\"><spine><ref-clip ref=\"r99\" offset=\"0s\" duration=\"50/25s\"/></spine></sequence></media>\n        <asset id=\"r3\"")]
    // A format that is the asset it belongs to.
    [InlineData("<asset id=\"r3\" name=\"green\" start=\"0s\" duration=\"4s\" hasVideo=\"1\" format=\"r1\"", "<asset id=\"r3\" name=\"green\" start=\"0s\" duration=\"4s\" hasVideo=\"1\" format=\"r3\"")]
    public void Fcpxml(string from, string to)
    {
        var document = Open("cut.fcpxml", from, to);
        Assert.Null(document.Apply(EditAlgebra.PlaceAbove(document.Index, document.Index.VideoTracks.First(), new FrameRange(0, 10), MltTests.Clip(10)).Value).Refusal);
    }

    [Fact]
    public void Otio_names_an_object_within_itself()
    {
        var text = MltTests.Text("resolve.otio").Replace("\"OTIO_SCHEMA\": \"Gap.1\"", "\"OTIO_SCHEMA\": \"SerializableObjectRef.1\", \"id\": \"Track-1\"", StringComparison.Ordinal);
        var index = TimelineDocument.Open(Encoding.UTF8.GetBytes(text)).Value.Index;
        Assert.Equal("ITEM_UNKNOWN", index.Tracks[0].Problem!.Reason);
        Assert.Contains("SerializableObjectRef.1", index.Tracks[0].Problem!.Message, StringComparison.Ordinal);
    }

    // A name that leads nowhere must not come to mean a new clip.
    [Theory]
    [InlineData("shotcut.mlt", "<chain id=\"chain1\"", "<chain id=\"gone\"")]
    [InlineData("cut.fcpxml", "<effect id=\"r7\" name=\"Basic Title\" uid=\".../Titles.localized/Basic Title.moti\"/>", "")]
    public void What_is_named_and_not_there_stays_so(string name, string from, string to)
    {
        var document = Open(name, from, to);
        var broken = document.Index.VideoTracks.First().Problem;
        var edited = MltTests.Apply(document, EditAlgebra.PlaceAbove(document.Index, null, new FrameRange(0, 10), MltTests.Clip(10)));
        Assert.Equal(broken, edited.Index.VideoTracks.First().Problem);
    }

    private static TimelineDocument Open(string name, string from, string to)
    {
        var text = MltTests.Text(name);
        var at = text.IndexOf(from, StringComparison.Ordinal);
        Assert.True(at >= 0, from);
        return TimelineDocument.Open(Encoding.UTF8.GetBytes(text[..at] + to + text[(at + from.Length)..])).Value;
    }
}
