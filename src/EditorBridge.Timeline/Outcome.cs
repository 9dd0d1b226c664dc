using System.Diagnostics.CodeAnalysis;

namespace EditorBridge.Timeline;

/// <summary>Why something that a user asked for is not done.</summary>
/// <param name="Reason">A fixed word for programs, such as GAP_NOT_FOUND.</param>
/// <param name="Message">One sentence for people that names the thing and the way out.</param>
public sealed record Refusal(string Reason, string Message)
{
    private readonly string message = OneLine(Message);

    /// <summary>One sentence for people that names the thing and the way out, on one line whatever the names in it hold.</summary>
    public string Message
    {
        get => message;
        init => message = OneLine(value);
    }

    /// <inheritdoc/>
    public override string ToString() => Message;

    private static string OneLine(string text) => text.Any(char.IsControl) ? string.Concat(text.Select(letter => char.IsControl(letter) ? ' ' : letter)) : text;
}

/// <summary>An edited document that does not read back as the edit meant it. Never leaves the document that it is thrown in.</summary>
internal sealed class ReadBackDiffers(string what) : Exception($"The timeline is not changed, because with the edit it would not read back as meant ({what}): open it in its editor, save it there and try again.")
{
    public Refusal Refusal => new("EDIT_UNSAFE", Message);
}

/// <summary>A value, or the reason why there is none.</summary>
/// <typeparam name="T">What is there on success.</typeparam>
public readonly struct Outcome<T>
{
    private readonly T? value;

    /// <summary>A success.</summary>
    public Outcome(T value) => this.value = value;

    /// <summary>A refusal.</summary>
    public Outcome(Refusal refusal) => Refusal = refusal;

    /// <summary>Why there is no value, or null on success.</summary>
    public Refusal? Refusal { get; }

    /// <summary>The value.</summary>
    /// <exception cref="InvalidOperationException">There is none: look at <see cref="Refusal"/> first.</exception>
    public T Value => Refusal is null ? value! : throw new InvalidOperationException(Refusal.Message);

    /// <summary>Whether there is a value.</summary>
    /// <param name="result">The value on success.</param>
    /// <param name="refusal">The reason otherwise.</param>
    public bool TryGet([MaybeNullWhen(false)] out T result, [NotNullWhen(false)] out Refusal? refusal)
    {
        result = value;
        refusal = Refusal;
        return refusal is null;
    }

    /// <summary>Wraps a value.</summary>
    public static implicit operator Outcome<T>(T value) => new(value);

    /// <summary>Wraps a refusal.</summary>
    public static implicit operator Outcome<T>(Refusal refusal) => new(refusal);
}
