using System.Text;
using System.Text.Json;
using EditorBridge.Timeline.Edits;
using EditorBridge.Timeline.Otio;

namespace EditorBridge.Timeline.Tests;

public class OtioTests
{
    private const string Media = """{"OTIO_SCHEMA":"ExternalReference.1","target_url":"file:///m/a.mov","available_range":RANGE}""";

    [Fact]
    public void New_text_looks_like_the_text_around_it()
    {
        var before = """
            {
              "OTIO_SCHEMA": "Timeline.1",
              "name": "Cut",
              "tracks": {
                "OTIO_SCHEMA": "Stack.1",
                "children": [
                  {
                    "OTIO_SCHEMA": "Track.1",
                    "kind": "Video",
                    "children": [
                      {
                        "OTIO_SCHEMA": "Gap.1",
                        "source_range": {
                          "OTIO_SCHEMA": "TimeRange.1",
                          "start_time": { "OTIO_SCHEMA": "RationalTime.1", "rate": 24, "value": 0 },
                          "duration": { "OTIO_SCHEMA": "RationalTime.1", "rate": 24, "value": 100 }
                        }
                      }
                    ]
                  }
                ]
              }
            }
            """;
        var after = Overwrite(before, new FrameRange(0, 48));
        Assert.Equal("""
            {
              "OTIO_SCHEMA": "Timeline.1",
              "name": "Cut",
              "tracks": {
                "OTIO_SCHEMA": "Stack.1",
                "children": [
                  {
                    "OTIO_SCHEMA": "Track.1",
                    "kind": "Video",
                    "children": [
                      {
                        "OTIO_SCHEMA": "Clip.2",
                        "metadata": {
                          "editorbridge": {
                            "seed": 1
                          }
                        },
                        "name": "NEW",
                        "source_range": {
                          "OTIO_SCHEMA": "TimeRange.1",
                          "duration": {
                            "OTIO_SCHEMA": "RationalTime.1",
                            "rate": 24,
                            "value": 48
                          },
                          "start_time": {
                            "OTIO_SCHEMA": "RationalTime.1",
                            "rate": 24,
                            "value": 0
                          }
                        },
                        "effects": [],
                        "markers": [],
                        "enabled": true,
                        "media_references": {
                          "DEFAULT_MEDIA": {
                            "OTIO_SCHEMA": "ExternalReference.1",
                            "metadata": {},
                            "name": "",
                            "available_range": {
                              "OTIO_SCHEMA": "TimeRange.1",
                              "duration": {
                                "OTIO_SCHEMA": "RationalTime.1",
                                "rate": 24,
                                "value": 48
                              },
                              "start_time": {
                                "OTIO_SCHEMA": "RationalTime.1",
                                "rate": 24,
                                "value": 0
                              }
                            },
                            "available_image_bounds": null,
                            "target_url": "file:///m/NEW.mov"
                          }
                        },
                        "active_media_reference_key": "DEFAULT_MEDIA"
                      },
                      {
                        "OTIO_SCHEMA": "Gap.1",
                        "source_range": {
                          "OTIO_SCHEMA": "TimeRange.1",
                          "start_time": { "OTIO_SCHEMA": "RationalTime.1", "rate": 24, "value": 0 },
                          "duration": { "OTIO_SCHEMA": "RationalTime.1", "rate": 24, "value": 52 }
                        }
                      }
                    ]
                  }
                ]
              }
            }
            """, after);
    }

    [Fact]
    public void A_document_with_one_reference_a_clip_keeps_to_it()
    {
        var after = Overwrite(Timeline(Clip("a", 0, 10, schema: "Clip.1")), new FrameRange(10, 5));
        Assert.Contains("\"OTIO_SCHEMA\":\"Clip.1\",\"metadata\":{\"editorbridge\":{\"seed\":1}},\"name\":\"NEW\"", after, StringComparison.Ordinal);
        Assert.DoesNotContain("Clip.2", after, StringComparison.Ordinal);
    }

    [Fact]
    public void A_clip_without_source_range_gets_one_when_it_is_split()
    {
        var after = Read(Overwrite(Timeline(Clip("a", null, 0)), new FrameRange(10, 5))).Index.Tracks[0].Items;
        Assert.Equal(new MediaRange(FrameRate.F24, 86400, 10), after[0].SourceRange);
        Assert.Equal("NEW", after[1].Name);
        Assert.Equal(new MediaRange(FrameRate.F24, 86415, 85), after[2].SourceRange);
    }

    [Fact]
    public void Ripple_moves_markers_after_the_place_and_no_others()
    {
        var marker = """{"OTIO_SCHEMA":"Marker.2","name":"m","marked_range":{"OTIO_SCHEMA":"TimeRange.1","start_time":{"OTIO_SCHEMA":"RationalTime.1","rate":24,"value":AT},"duration":{"OTIO_SCHEMA":"RationalTime.1","rate":24,"value":1}}}""";
        var text = Timeline(Clip("a", 0, 10) + "," + Clip("b", 0, 10), stack: $"\"markers\":[{marker.Replace("AT", "9.0")},{marker.Replace("AT", "10")}],");
        var document = Read(text);
        var edited = OtioSplicer.Apply(document, EditAlgebra.Insert(document.Index, document.Index.Tracks[0], 10, NewClip(24)).Value).Value;
        var after = Encoding.UTF8.GetString(edited.Document.Bytes.Span);
        Assert.Contains("\"value\":9.0}", after, StringComparison.Ordinal);
        Assert.Contains("\"value\":34}", after, StringComparison.Ordinal);
    }

    [Fact]
    public void Reads_effects_missing_media_picture_sequences_and_nested_stacks()
    {
        var items = Read(Timeline(string.Join(',',
            Clip("slow", 0, 10, effects: """{"OTIO_SCHEMA":"LinearTimeWarp.1","time_scalar":0.5}"""),
            Clip("still", 0, 10, effects: """{"OTIO_SCHEMA":"FreezeFrame.1","time_scalar":0}"""),
            Clip("plain", 0, 10, effects: """{"OTIO_SCHEMA":"LinearTimeWarp.1","time_scalar":1.0}"""),
            Clip("gone", 0, 10, media: """{"OTIO_SCHEMA":"MissingReference.1","available_range":null}"""),
            Clip("frames", 0, 10, media: """{"OTIO_SCHEMA":"ImageSequenceReference.1","target_url_base":"file:///m","name_prefix":"f.","name_suffix":".exr","frame_zero_padding":4,"start_frame":1001,"rate":24,"available_range":null}"""),
            """{"OTIO_SCHEMA":"Stack.1","name":"nest","children":[{"OTIO_SCHEMA":"Track.1","children":[""" + Clip("x", 0, 7) + "," + Clip("y", 0, 8) + "]}]}"))).Index.Tracks[0].Items;
        Assert.Equal([true, true, false, false, false, false], items.Select(item => item.ChangesTime));
        Assert.Null(items[3].Media!.Url);
        Assert.Equal("file:///m/f.%04d.exr", items[4].Media!.Url);
        Assert.Equal((ItemKind.Nested, 15L), (items[5].Kind, items[5].RecordRange.Duration));
        Assert.Null(Handles.Of(items[0], FrameRate.F24));
    }

    [Fact]
    public void Handles_are_what_the_media_holds_beyond_the_cut()
    {
        var item = Read(Timeline(Clip("a", 86410, 48))).Index.Tracks[0].Items[0];
        Assert.Equal(new Handles(10, 42), Handles.Of(item, FrameRate.F24));
    }

    [Fact]
    public void Media_at_another_rate_is_converted_exactly_or_refused()
    {
        var even = Read(Timeline(Clip("a", 0, 50, rate: "25"))).Index;
        Assert.Equal(FrameRate.F24, even.Rate);
        Assert.Equal(48, even.Tracks[0].Duration);
        Assert.Equal(new MediaRange(FrameRate.Pal, 0, 50), even.Tracks[0].Items[0].SourceRange);
        var odd = Read(Timeline(Clip("a", 0, 51, rate: "25"))).Index;
        Assert.Equal("OFF_GRID", odd.Tracks[0].Problem!.Reason);
        Assert.Contains("51 frames at 25", odd.Tracks[0].Problem!.Message, StringComparison.Ordinal);
        Assert.Equal("OFF_GRID", EditAlgebra.Append(odd, odd.Tracks[0], NewClip(5)).Refusal!.Reason);
    }

    [Fact]
    public void A_cut_that_falls_between_frames_of_the_media_is_refused()
    {
        var document = Read(Timeline(Clip("a", 0, 50, rate: "25")));
        var edit = EditAlgebra.Overwrite(document.Index, document.Index.Tracks[0], new FrameRange(10, 5), NewClip(5)).Value;
        Assert.Equal("OFF_GRID", OtioSplicer.Apply(document, edit).Refusal!.Reason);
    }

    [Fact]
    public void An_unknown_child_stops_edits_of_its_track_only()
    {
        var index = Read(Timeline("""{"OTIO_SCHEMA":"Wormhole.1","name":"w"}""")).Index;
        Assert.Contains("Wormhole.1", index.Tracks[0].Problem!.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{}", "DOCUMENT_UNKNOWN")]
    [InlineData("[]", "DOCUMENT_UNKNOWN")]
    [InlineData("""{"OTIO_SCHEMA":"Clip.2"}""", "DOCUMENT_UNKNOWN")]
    [InlineData("""{"OTIO_SCHEMA":"Timeline.1"}""", "DOCUMENT_UNKNOWN")]
    [InlineData("""{"OTIO_SCHEMA":"Timeline.1","tracks":{"OTIO_SCHEMA":"Stack.1","children":[]}}""", "RATE_UNKNOWN")]
    [InlineData("<xml/>", "DOCUMENT_MALFORMED")]
    [InlineData("", "DOCUMENT_MALFORMED")]
    public void Says_what_is_no_timeline(string text, string reason) =>
        Assert.Equal(reason, OtioDocument.Read(Encoding.UTF8.GetBytes(text)).Refusal!.Reason);

    [Fact]
    public void A_cut_in_an_effect_a_transition_or_a_nested_sequence_is_refused()
    {
        var transition = """{"OTIO_SCHEMA":"Transition.1","in_offset":{"OTIO_SCHEMA":"RationalTime.1","rate":24,"value":4},"out_offset":{"OTIO_SCHEMA":"RationalTime.1","rate":24,"value":4}}""";
        Assert.Equal("ITEM_HAS_EFFECTS", Refused(Clip("a", 0, 50, effects: """{"OTIO_SCHEMA":"Effect.1","effect_name":"Blur"}"""), 10, 5));
        Assert.Equal("TRANSITION_IN_WAY", Refused(Clip("a", 0, 50) + "," + transition + "," + Clip("b", 0, 50), 47, 1));
        Assert.Equal("TRANSITION_IN_WAY", Refused(Clip("a", 0, 50) + "," + transition + "," + Clip("b", 0, 50), 50, 10));
        Assert.Equal("NESTED_ITEM", Refused("""{"OTIO_SCHEMA":"Stack.1","children":[""" + Clip("x", 0, 50) + "]}", 10, 5));
        Assert.Equal("RANGE_EMPTY", Refused(Clip("a", 0, 50), 10, 0));
    }

    [Fact]
    public void Gaps_are_numbered_from_1_and_know_their_neighbours()
    {
        var gap = """{"OTIO_SCHEMA":"Gap.1","source_range":{"OTIO_SCHEMA":"TimeRange.1","start_time":{"OTIO_SCHEMA":"RationalTime.1","rate":24,"value":0},"duration":{"OTIO_SCHEMA":"RationalTime.1","rate":24,"value":12}}}""";
        var track = Read(Timeline(string.Join(',', gap, Clip("a", 0, 10), gap, gap, Clip("b", 0, 10)))).Index.Tracks[0];
        var gaps = Gaps.Find(track);
        Assert.Equal([new FrameRange(0, 12), new FrameRange(22, 24)], gaps.Select(found => found.Range));
        Assert.Equal((null, "a", "a", "b"), (gaps[0].Before?.Name, gaps[0].After?.Name, gaps[1].Before?.Name, gaps[1].After?.Name));
        Assert.Contains("it has 2", Gaps.Find(track, 3).Refusal!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_goes_above_is_hidden_by_nothing_and_on_no_track_that_is_switched_off()
    {
        var long_ = Clip("a", 0, 50);
        Assert.Equal(2, Above(long_));
        Assert.Equal(2, Above(long_, On("")));
        // V3 is in front of V2, which is free.
        Assert.Equal(4, Above(long_, On(""), On(long_)));
        Assert.Equal(4, Above(long_, On(""), On(long_), On("")));
        // Switched off, V3 hides nothing, and V2 would show nothing.
        Assert.Equal(2, Above(long_, On(""), Off(long_)));
        Assert.Equal(3, Above(long_, Off(""), On("")));
        Assert.Equal(3, Above(long_, Off("")));
        // Before and after the range it may be as full as it likes.
        Assert.Equal(2, Above(long_, On(Clip("b", 0, 10)), On(Clip("c", 0, 10))));

        static string On(string children) => $$"""]},{"OTIO_SCHEMA":"Track.1","kind":"Video","children":[{{children}}""";
        static string Off(string children) => $$"""]},{"OTIO_SCHEMA":"Track.1","kind":"Video","enabled":false,"children":[{{children}}""";
        static int Above(params string[] tracks)
        {
            var index = Read(Timeline(string.Concat(tracks))).Index;
            return EditAlgebra.PlaceAbove(index, index.Tracks[0], new FrameRange(20, 10), NewClip(10)).Value.TrackNumber;
        }
    }

    [Fact]
    public void Two_clips_of_one_name_have_to_be_told_apart()
    {
        var index = Read(Timeline(Clip("a", 0, 10) + "," + Clip("a", 0, 10) + "," + Clip("B", 0, 10))).Index;
        Assert.Equal("CLIP_AMBIGUOUS", Gaps.FindClip(index, "a").Refusal!.Reason);
        Assert.Equal("B", Gaps.FindClip(index, "b").Value.Item.Name);
        Assert.Equal("CLIP_NOT_FOUND", Gaps.FindClip(index, "c").Refusal!.Reason);
    }

    [Fact]
    public void Further_takes_are_media_of_the_clip()
    {
        var text = Timeline(Clip("a", 0, 50));
        var document = Read(text);
        var clip = NewClip(10) with { OtherMedia = [new OtherMedium("TAKE_2", "second", "file:///m/second.mov", """{"editorbridge":{"seed":2}}""")] };
        var after = Encoding.UTF8.GetString(OtioSplicer.Apply(document, EditAlgebra.Append(document.Index, document.Index.Tracks[0], clip).Value).Value.Document.Bytes.Span);
        using var parsed = JsonDocument.Parse(after);
        var made = parsed.RootElement.GetProperty("tracks").GetProperty("children")[0].GetProperty("children")[1];
        Assert.Equal("DEFAULT_MEDIA", made.GetProperty("active_media_reference_key").GetString());
        var media = made.GetProperty("media_references");
        Assert.Equal(["DEFAULT_MEDIA", "TAKE_2"], media.EnumerateObject().Select(medium => medium.Name));
        var second = media.GetProperty("TAKE_2");
        Assert.Equal(("file:///m/second.mov", "second", 2), (second.GetProperty("target_url").GetString(), second.GetProperty("name").GetString(),
            second.GetProperty("metadata").GetProperty("editorbridge").GetProperty("seed").GetInt32()));
        Assert.Equal(media.GetProperty("DEFAULT_MEDIA").GetProperty("available_range").GetRawText(), second.GetProperty("available_range").GetRawText());

        // Another key made active shows the other take, over the same frames.
        var other = Read(after.Replace("\"active_media_reference_key\":\"DEFAULT_MEDIA\"}]}", "\"active_media_reference_key\":\"TAKE_2\"}]}", StringComparison.Ordinal)).Index.Tracks[0].Items[1];
        Assert.Equal(("file:///m/second.mov", clip.AvailableRange), (other.Media!.Url, other.Media.AvailableRange));

        // A clip of the old schema has one medium.
        document = Read(Timeline(Clip("a", 0, 50, "Clip.1")));
        after = Encoding.UTF8.GetString(OtioSplicer.Apply(document, EditAlgebra.Append(document.Index, document.Index.Tracks[0], clip).Value).Value.Document.Bytes.Span);
        Assert.DoesNotContain("second.mov", after, StringComparison.Ordinal);
        Assert.DoesNotContain("Clip.2", after, StringComparison.Ordinal);
    }

    [Fact]
    public void Media_are_spelled_anew_wherever_they_stand()
    {
        var sequence = """{"OTIO_SCHEMA":"ImageSequenceReference.1","target_url_base":"shots\/","name_prefix":"a.","name_suffix":".exr","available_range":RANGE}""".Replace("RANGE", Range(0, 50, "24"), StringComparison.Ordinal);
        var twice = """{"OTIO_SCHEMA":"ExternalReference.1","target_url":"old.mov","target_url":"b.mov","available_range":RANGE}""".Replace("RANGE", Range(0, 50, "24"), StringComparison.Ordinal);
        var text = Timeline(string.Join(',', Clip("a", 0, 50), Clip("s", 0, 50, media: sequence),
            """{"OTIO_SCHEMA":"Stack.1","metadata":{"target_url":"not a medium"},"children":[""" + Clip("x", 0, 50, "Clip.1", media: twice) + "]}"));
        var edited = Read(text).RespellMedia(url => MediaPath.Rebase(url, "/cuts", "/cuts/out"));
        var after = Encoding.UTF8.GetString(edited.Document.Bytes.Span);
        Assert.Equal(text.Replace("\"shots\\/\"", "\"../shots/\"", StringComparison.Ordinal).Replace("\"old.mov\"", "\"../old.mov\"", StringComparison.Ordinal)
            .Replace("\"b.mov\"", "\"../b.mov\"", StringComparison.Ordinal), after);
        Assert.Equal(3, edited.Splices.Count);
    }

    private static OtioDocument Read(string text) => OtioDocument.Read(Encoding.UTF8.GetBytes(text)).Value;

    private static string Overwrite(string text, FrameRange range)
    {
        var document = Read(text);
        var edit = EditAlgebra.Overwrite(document.Index, document.Index.Tracks[0], range, NewClip(range.Duration)).Value;
        return Encoding.UTF8.GetString(OtioSplicer.Apply(document, edit).Value.Document.Bytes.Span);
    }

    private static string Refused(string children, long start, long frames)
    {
        var index = Read(Timeline(children)).Index;
        return EditAlgebra.Overwrite(index, index.Tracks[0], new FrameRange(start, frames), NewClip(Math.Max(1, frames))).Refusal!.Reason;
    }

    private static NewClip NewClip(long frames) => new()
    {
        Name = "NEW",
        MediaUrl = "file:///m/NEW.mov",
        AvailableRange = new MediaRange(FrameRate.F24, 0, frames),
        SourceRange = new MediaRange(FrameRate.F24, 0, frames),
        MetadataJson = """{"editorbridge":{"seed":1}}""",
    };

    private static string Timeline(string children, string stack = "") =>
        $$$"""{"OTIO_SCHEMA":"Timeline.1","global_start_time":{"OTIO_SCHEMA":"RationalTime.1","rate":24,"value":0},"tracks":{"OTIO_SCHEMA":"Stack.1",{{{stack}}}"children":[{"OTIO_SCHEMA":"Track.1","kind":"Video","children":[{{{children}}}]}]}}""";

    // Media: 100 frames from 01:00:00:00.
    private static string Clip(string name, long? start, long frames, string schema = "Clip.2", string effects = "", string? media = null, string rate = "24")
    {
        var source = start is null ? "" : $"\"source_range\":{Range(start.Value, frames, rate)},";
        var reference = media ?? Media.Replace("RANGE", Range(86400, 100, rate), StringComparison.Ordinal);
        var references = schema == "Clip.1" ? $"\"media_reference\":{reference}" : $$"""
            "active_media_reference_key":"DEFAULT_MEDIA","media_references":{"DEFAULT_MEDIA":{{reference}}}
            """.Trim();
        return $$"""{"OTIO_SCHEMA":"{{schema}}","name":"{{name}}",{{source}}"effects":[{{effects}}],{{references}}}""";
    }

    private static string Range(long start, long frames, string rate) =>
        $$$"""{"OTIO_SCHEMA":"TimeRange.1","start_time":{"OTIO_SCHEMA":"RationalTime.1","rate":{{{rate}}},"value":{{{start}}}},"duration":{"OTIO_SCHEMA":"RationalTime.1","rate":{{{rate}}},"value":{{{frames}}}}}""";
}
