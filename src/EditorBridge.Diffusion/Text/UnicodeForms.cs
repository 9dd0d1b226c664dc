using System.Globalization;
using System.Reflection;
using System.Text;

namespace EditorBridge.Diffusion.Text;

/// <summary>
/// Unicode normalisation form C and the folding of full- and half-width forms, from a table of our own:
/// <see cref="string.Normalize()"/> returns its input unchanged in programs built with InvariantGlobalization.
/// The algorithm is that of Unicode Standard Annex #15; <c>eng/text-tables.py</c> writes the table.
/// </summary>
internal static class UnicodeForms
{
    private const int HangulBase = 0xAC00, LeadBase = 0x1100, VowelBase = 0x1161, TrailBase = 0x11A7;
    private const int LeadCount = 19, VowelCount = 21, TrailCount = 28;

    private static readonly Dictionary<int, int[]> Decompositions = [];
    private static readonly Dictionary<(int First, int Second), int> Compositions = [];
    private static readonly Dictionary<int, int> CombiningClasses = [];
    private static readonly Dictionary<int, string> Widths = [];

    static UnicodeForms()
    {
        foreach (var line in EmbeddedTable.Lines("UnicodeForms.txt"))
        {
            if (line.StartsWith('#'))
                continue;
            var fields = line.Split(' ');
            var codes = Array.ConvertAll(fields[1..], static f => int.Parse(f, NumberStyles.HexNumber, CultureInfo.InvariantCulture));
            switch (fields[0])
            {
                case "d" or "e":
                    Decompositions[codes[0]] = codes[1..];
                    if (fields[0] == "d")
                        Compositions[(codes[1], codes[2])] = codes[0];
                    break;
                case "c":
                    for (var code = codes[0]; code <= codes[1]; code++)
                        CombiningClasses[code] = codes[2];
                    break;
                case "w":
                    Widths[codes[0]] = string.Concat(codes[1..].Select(char.ConvertFromUtf32));
                    break;
            }
        }
    }

    /// <summary>Full-width forms, half-width forms and the ideographic space in their ordinary width.</summary>
    public static string FoldWidths(string text)
    {
        if (!text.Any(static c => c is '\u3000' or (>= '\uFF01' and < '\uFFF0')))
            return text;
        var folded = new StringBuilder(text.Length);
        foreach (var c in text)
        {
            if (Widths.TryGetValue(c, out var narrow))
                folded.Append(narrow);
            else
                folded.Append(c);
        }
        return folded.ToString();
    }

    /// <summary>Normalisation form C. The text must be well-formed UTF-16.</summary>
    public static string ComposeCanonically(string text)
    {
        if (text.All(static c => c < '\u0300'))
            return text;
        var codes = new List<int>(text.Length);
        foreach (var rune in text.EnumerateRunes())
            Decompose(rune.Value, codes);
        SortMarks(codes);
        Compose(codes);
        var composed = new StringBuilder(text.Length);
        foreach (var code in codes)
            composed.Append(new Rune(code));
        return composed.ToString();
    }

    private static void Decompose(int code, List<int> into)
    {
        var syllable = code - HangulBase;
        if (syllable is >= 0 and < LeadCount * VowelCount * TrailCount)
        {
            into.Add(LeadBase + (syllable / (VowelCount * TrailCount)));
            into.Add(VowelBase + (syllable % (VowelCount * TrailCount) / TrailCount));
            if (syllable % TrailCount != 0)
                into.Add(TrailBase + (syllable % TrailCount));
        }
        else if (Decompositions.TryGetValue(code, out var parts))
        {
            foreach (var part in parts)
                Decompose(part, into);
        }
        else
        {
            into.Add(code);
        }
    }

    private static int ClassOf(int code) => CombiningClasses.GetValueOrDefault(code);

    private static void SortMarks(List<int> codes)
    {
        for (var i = 1; i < codes.Count; i++)
        {
            var markClass = ClassOf(codes[i]);
            for (var j = i; markClass != 0 && j > 0 && ClassOf(codes[j - 1]) > markClass; j--)
                (codes[j - 1], codes[j]) = (codes[j], codes[j - 1]);
        }
    }

    private static void Compose(List<int> codes)
    {
        var starter = -1;
        var written = 0;
        var previousClass = -1;
        foreach (var code in codes.ToArray())
        {
            var markClass = ClassOf(code);
            // A mark is blocked from its starter when another one of the same or a higher class stands between them.
            if (starter >= 0 && (previousClass < markClass || previousClass == -1) && Pair(codes[starter], code) is { } composite)
            {
                codes[starter] = composite;
                continue;
            }
            if (markClass == 0)
            {
                starter = written;
                previousClass = -1;
            }
            else
            {
                previousClass = markClass;
            }
            codes[written++] = code;
        }
        codes.RemoveRange(written, codes.Count - written);
    }

    private static int? Pair(int first, int second)
    {
        if (first - LeadBase is >= 0 and < LeadCount && second - VowelBase is >= 0 and < VowelCount)
            return HangulBase + ((((first - LeadBase) * VowelCount) + (second - VowelBase)) * TrailCount);
        var syllable = first - HangulBase;
        if (syllable is >= 0 and < LeadCount * VowelCount * TrailCount && syllable % TrailCount == 0
            && second - TrailBase is > 0 and < TrailCount)
            return first + (second - TrailBase);
        return Compositions.TryGetValue((first, second), out var composite) ? composite : null;
    }
}

/// <summary>Text tables that travel inside the assembly.</summary>
internal static class EmbeddedTable
{
    /// <summary>The lines of a table, in order, without empty ones.</summary>
    public static IEnumerable<string> Lines(string name)
    {
        var assembly = Assembly.GetExecutingAssembly();
        using var stream = assembly.GetManifestResourceStream($"EditorBridge.Diffusion.Text.{name}")
            ?? throw new InvalidOperationException($"The table {name} is missing from {assembly.GetName().Name}.");
        using var reader = new StreamReader(stream);
        while (reader.ReadLine() is { } line)
        {
            if (line.Length > 0)
                yield return line;
        }
    }
}
