using EditorBridge.Media;

namespace EditorBridge.Generation;

/// <summary>Makes the clip of a take out of its delivered frames.</summary>
internal interface IClipWriter
{
    /// <summary>Writes the clip; frames are pulled as they are needed, on the calling thread.</summary>
    /// <param name="frames">All delivered frames, in order; each is the writer's to dispose.</param>
    /// <param name="seams">What the colour correction did, complete before the last frame.</param>
    /// <returns>The clip's path.</returns>
    string Write(IEnumerable<VideoFrame> frames, IReadOnlyList<SeamReport> seams);
}
