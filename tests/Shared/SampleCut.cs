using System.Globalization;
using System.Text;

namespace EditorBridge.Tests.Shared;

/// <summary>Writes small timelines for tests, in OpenTimelineIO JSON as the library itself lays it out.</summary>
public sealed class SampleCut(string rate = "24.0", int startFrame = 0)
{
    private readonly List<string> tracks = [];

    /// <summary>Adds a track.</summary>
    public SampleCut Track(string kind, params string[] children)
    {
        tracks.Add($$"""{"OTIO_SCHEMA": "Track.1", "name": "{{kind[0]}}{{tracks.Count + 1}}", "kind": "{{kind}}", "children": [{{string.Join(", ", children)}}]}""");
        return this;
    }

    /// <summary>A clip that shows frames of a medium.</summary>
    public string Clip(string name, string url, long start, long frames, long held) => $$"""
        {"OTIO_SCHEMA": "Clip.2", "name": "{{name}}", "metadata": {}, "source_range": {{Range(start, frames)}}, "effects": [], "markers": [], "enabled": true,
         "media_references": {"DEFAULT_MEDIA": {"OTIO_SCHEMA": "ExternalReference.1", "metadata": {}, "name": "", "available_range": {{Range(0, held)}}, "target_url": "{{url}}"} },
         "active_media_reference_key": "DEFAULT_MEDIA"}
        """;

    public string Gap(long frames) => $$"""{"OTIO_SCHEMA": "Gap.1", "name": "", "source_range": {{Range(0, frames)}}}""";

    public string Transition(long before, long after) =>
        $$"""{"OTIO_SCHEMA": "Transition.1", "name": "", "transition_type": "SMPTE_Dissolve", "in_offset": {{Time(before)}}, "out_offset": {{Time(after)}}}""";

    public void Write(string path) => File.WriteAllText(path, Text());

    public string Text() => new StringBuilder()
        .Append("{\n    \"OTIO_SCHEMA\": \"Timeline.1\",\n    \"name\": \"Cut\",\n")
        .Append(CultureInfo.InvariantCulture, $"    \"global_start_time\": {Time(startFrame)},\n")
        .Append("    \"tracks\": {\"OTIO_SCHEMA\": \"Stack.1\", \"name\": \"tracks\", \"children\": [\n        ")
        .Append(string.Join(",\n        ", tracks)).Append("\n    ]}\n}\n").ToString();

    private string Time(long value) => $$"""{"OTIO_SCHEMA": "RationalTime.1", "rate": {{rate}}, "value": {{value}}.0}""";

    private string Range(long start, long frames) =>
        $$"""{"OTIO_SCHEMA": "TimeRange.1", "duration": {{Time(frames)}}, "start_time": {{Time(start)}}}""";
}
