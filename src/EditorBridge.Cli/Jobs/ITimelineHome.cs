using EditorBridge.Timeline;
using EditorBridge.Timeline.Edits;

namespace EditorBridge.Cli.Jobs;

/// <summary>Where a job finds its timeline and what becomes of the new one: a file, or a project that a running editor has open.</summary>
internal interface ITimelineHome
{
    /// <summary>What was read, which jobs are said to be for.</summary>
    string Name { get; }

    /// <summary>Where results go, checked as far as can be before anything is made; null when nothing is to be written.</summary>
    OutputPaths? Target { get; }

    /// <summary>Whether a clip there can be lengthened by frames that its own media still has.</summary>
    bool CanTrimOut { get; }

    /// <summary>Reads the timeline.</summary>
    TimelineFile Open();

    /// <summary>The timeline as it is now that the clips are there, which may be minutes later.</summary>
    /// <param name="planned">The timeline as it was read.</param>
    /// <param name="places">What the clips were made for.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <exception cref="Refused">The places are no longer there.</exception>
    Task<TimelineDocument> AgainAsync(TimelineFile planned, IReadOnlyList<TimelineJob> places, CancellationToken cancellation);

    /// <summary>Puts the new timeline in its place.</summary>
    /// <param name="planned">The timeline as it was read.</param>
    /// <param name="edited">The new one.</param>
    /// <param name="edits">The edits that made it, in order.</param>
    /// <param name="media">Files that go into a bundle, with their names in it.</param>
    /// <param name="cancellation">Ends it, as long as nothing has been written.</param>
    /// <returns>The file that was written; null when the timeline is the editor's to write.</returns>
    Task<string?> WriteAsync(TimelineFile planned, TimelineDocument edited, IReadOnlyList<TimelineEdit> edits, IReadOnlyList<(string Name, string File)> media, CancellationToken cancellation);

    /// <summary>Saves clips that could not be placed.</summary>
    /// <param name="clips">Their files.</param>
    /// <returns>A sentence that says where they are; null when they are of no use then.</returns>
    Task<string?> KeepAsync(IReadOnlyList<string> clips);
}
