using System.Diagnostics.CodeAnalysis;

namespace EditorBridge.Models;

/// <summary>What came of reading something a user supplied: the value, or one sentence that says why there is none.</summary>
/// <typeparam name="T">What was to be read.</typeparam>
public readonly record struct ReadResult<T>
    where T : class
{
    private ReadResult(T? value, string? problem) => (Value, Problem) = (value, problem);

    /// <summary>The value; null when there is a <see cref="Problem"/>.</summary>
    public T? Value { get; }

    /// <summary>One sentence naming the file, what is wrong and the way out; null when there is a <see cref="Value"/>.</summary>
    public string? Problem { get; }

    /// <summary>Whether the value is there.</summary>
    [MemberNotNullWhen(true, nameof(Value))]
    [MemberNotNullWhen(false, nameof(Problem))]
    public bool Ok => Value is not null;

    /// <summary>A successful reading.</summary>
    /// <param name="value">What was read.</param>
    public static ReadResult<T> Of(T value) => new(value, null);

    /// <summary>A failed reading.</summary>
    /// <param name="problem">Why, in one sentence.</param>
    public static ReadResult<T> Failed(string problem) => new(null, problem);

    /// <summary>The value, for callers to whom its absence is exceptional.</summary>
    /// <exception cref="InvalidDataException">With <see cref="Problem"/> as message.</exception>
    public T OrThrow() => Value ?? throw new InvalidDataException(Problem);
}
