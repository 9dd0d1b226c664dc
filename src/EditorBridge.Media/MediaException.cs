using EditorBridge.Timeline;

namespace EditorBridge.Media;

/// <summary>Media could not be read or written while frames were already flowing. The message is one sentence for people.</summary>
public sealed class MediaException : Exception
{
    /// <summary>Makes the exception from its reason.</summary>
    public MediaException(Refusal refusal)
        : base((refusal ?? throw new ArgumentNullException(nameof(refusal))).Message) => Refusal = refusal;

    /// <summary>Makes the exception from its reason and what caused it.</summary>
    public MediaException(Refusal refusal, Exception? inner)
        : base((refusal ?? throw new ArgumentNullException(nameof(refusal))).Message, inner) => Refusal = refusal;

    /// <summary>The reason, with a fixed word for programs.</summary>
    public Refusal Refusal { get; }
}
