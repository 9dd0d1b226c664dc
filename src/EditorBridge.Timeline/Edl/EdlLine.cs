using System.Text;

namespace EditorBridge.Timeline.Edl;

/// <summary>A word of a line and the bytes that spell it.</summary>
internal readonly record struct EdlWord(string Text, int Start, int End);

/// <summary>A line of an EDL.</summary>
/// <param name="Start">Its first byte.</param>
/// <param name="ContentEnd">The first byte after its text.</param>
/// <param name="End">The first byte after its line break.</param>
/// <param name="Text">Its text.</param>
internal sealed record EdlLine(int Start, int ContentEnd, int End, string Text)
{
    /// <summary>Splits a document into lines.</summary>
    public static List<EdlLine> Split(byte[] bytes)
    {
        var lines = new List<EdlLine>();
        var start = bytes is [0xEF, 0xBB, 0xBF, ..] ? 3 : 0;
        while (start < bytes.Length)
        {
            // Lists of old Macintoshes end their lines with a carriage return alone.
            var feed = bytes.AsSpan(start).IndexOfAny((byte)'\n', (byte)'\r');
            var end = feed < 0 ? bytes.Length : start + feed + 1;
            if (end < bytes.Length && bytes[end - 1] == '\r' && bytes[end] == '\n') end++;
            var content = end;
            while (content > start && bytes[content - 1] is (byte)'\n' or (byte)'\r') content--;
            lines.Add(new EdlLine(start, content, end, Decode(bytes.AsSpan(start, content - start))));
            start = end;
        }

        return lines;
    }

    /// <summary>Its words, told apart by white space.</summary>
    public List<EdlWord> Words(byte[] bytes)
    {
        var words = new List<EdlWord>();
        var at = Start;
        while (at < ContentEnd)
        {
            while (at < ContentEnd && bytes[at] is (byte)' ' or (byte)'\t') at++;
            var from = at;
            while (at < ContentEnd && bytes[at] is not ((byte)' ' or (byte)'\t')) at++;
            if (at > from) words.Add(new EdlWord(Decode(bytes.AsSpan(from, at - from)), from, at));
        }

        return words;
    }

    // Comments are in whatever the program's system wrote; each byte stands for itself where it is no UTF-8.
    private static string Decode(ReadOnlySpan<byte> bytes) =>
        System.Text.Unicode.Utf8.IsValid(bytes) ? Encoding.UTF8.GetString(bytes) : Encoding.Latin1.GetString(bytes);
}

/// <summary>One edit: a line with an event number, a reel, channels, a transition and four timecodes.</summary>
internal sealed record EdlEvent
{
    public required EdlLine Line { get; init; }

    public required IReadOnlyList<EdlWord> Words { get; init; }

    public required FrameRange Source { get; init; }

    /// <summary>Whether the source's labels count in drop-frame.</summary>
    public bool SourceDrops { get; init; }

    public required FrameRange Record { get; init; }

    /// <summary>Frames that its dissolve or wipe takes; 0 for a cut.</summary>
    public long Mix { get; init; }

    /// <summary>The lines with the same event number, and the remarks on them all.</summary>
    public required EdlGroup Group { get; init; }

    public string Number => Words[0].Text;

    public string Reel => Words[1].Text;

    public string Channels => Words[2].Text.ToUpperInvariant();

    public string Type => Words[3].Text.ToUpperInvariant();

    public bool HasPicture => Channels is "B" or "V" || Channels.Contains('V', StringComparison.Ordinal);

    public bool HasSound => Channels == "B" || Channels.Contains('A', StringComparison.Ordinal);

    public bool IsBlack => EdlReel.IsBlack(Reel);

    /// <summary>The audio channels of a line: A is the first, A2 the second, AA both.</summary>
    public IEnumerable<int> AudioTracks => Channels.Replace("/V", "", StringComparison.Ordinal).TrimEnd('V') switch
    {
        "B" or "A" => [1],
        "AA" => [1, 2],
        var channel when channel.Length > 1 && channel[0] == 'A' && int.TryParse(channel.AsSpan(1), out var number) && number is > 0 and < 100 => [number],
        var channel when channel.StartsWith('A') => [1],
        _ => [],
    };

    /// <summary>The timecodes' words: source in and out, record in and out.</summary>
    public EdlWord Time(int which) => Words[Words.Count - 4 + which];
}

/// <summary>An event: one line or more, and what is remarked on them.</summary>
internal sealed class EdlGroup
{
    public List<EdlEvent> Events { get; } = [];

    public List<EdlLine> Remarks { get; } = [];

    /// <summary>The first byte after its last line.</summary>
    public int End => Math.Max(Events[^1].Line.End, Remarks.Count > 0 ? Remarks[^1].End : 0);

    /// <summary>What a remark says after its words, such as "FROM CLIP NAME:".</summary>
    public string? Remark(string words)
    {
        foreach (var line in Remarks)
        {
            var text = line.Text.TrimStart('*', ' ', '\t');
            if (text.StartsWith(words, StringComparison.OrdinalIgnoreCase)) return text[words.Length..].Trim();
        }

        return null;
    }

    /// <summary>Whether a remark changes the speed of a reel.</summary>
    public bool IsRetimed(string reel) => Remarks.Any(line => line.Text.StartsWith("M2", StringComparison.Ordinal)
        && line.Text.Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries) is [_, var named, ..] && (named == reel || Events.Count == 1));
}
