using System.Text;
using System.Text.RegularExpressions;

namespace EditorBridge.Diffusion.Text;

/// <summary>
/// The cleaning that the Wan pipelines apply to a prompt before it is tokenised: repair of damaged text (what <c>ftfy.fix_text</c>
/// does by default), HTML references resolved twice, whitespace collapsed.
/// </summary>
public static partial class PromptCleaning
{
    private static readonly Dictionary<char, string> Ligatures = new()
    {
        ['\u0132'] = "IJ", ['\u0133'] = "ij", ['\u0149'] = "\u02BCn",
        ['\u01F1'] = "DZ", ['\u01F2'] = "Dz", ['\u01F3'] = "dz", ['\u01C4'] = "D\u017D", ['\u01C5'] = "D\u017E", ['\u01C6'] = "d\u017E",
        ['\u01C7'] = "LJ", ['\u01C8'] = "Lj", ['\u01C9'] = "lj", ['\u01CA'] = "NJ", ['\u01CB'] = "Nj", ['\u01CC'] = "nj",
        ['\uFB00'] = "ff", ['\uFB01'] = "fi", ['\uFB02'] = "fl", ['\uFB03'] = "ffi", ['\uFB04'] = "ffl", ['\uFB05'] = "\u017Ft", ['\uFB06'] = "st",
    };

    /// <summary>A prompt as the tokenizer is given it: repaired, unescaped, one space between words, none at the ends.</summary>
    public static string Clean(string prompt)
    {
        ArgumentNullException.ThrowIfNull(prompt);
        var text = HtmlReferences.Unescape(HtmlReferences.Unescape(Repair(prompt)));
        return Whitespace().Replace(text, " ").Trim(' ');
    }

    /// <summary>
    /// Text as its author meant it: misread encodings decoded, control characters and terminal escapes removed, quotes straight, line
    /// breaks and widths unified, normalisation form C. References are resolved unless the text holds a "&lt;" and so may be HTML.
    /// </summary>
    public static string Repair(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var repaired = new StringBuilder(text.Length);
        var mayUnescape = true;
        for (var start = 0; start < text.Length;)
        {
            var end = text.IndexOf('\n', start) + 1;
            if (end == 0)
                end = text.Length;
            var line = text[start..end];
            mayUnescape &= !line.Contains('<');
            repaired.Append(RepairLine(line, mayUnescape));
            start = end;
        }
        return repaired.ToString();
    }

    private static string RepairLine(string line, bool unescape)
    {
        while (true)
        {
            var before = line;
            if (unescape)
                line = HtmlReferences.UnescapeCertain(line);
            line = MojibakeRepair.Repair(line);
            line = Translate(line);
            line = UnicodeForms.FoldWidths(line);
            line = UnifyMarks(line);
            line = ReplaceLoneSurrogates(line);
            line = ControlCharacter().Replace(TerminalEscape().Replace(line, ""), "");
            line = UnicodeForms.ComposeCanonically(line);
            if (line == before)
                return line;
        }
    }

    private static string Translate(string line)
    {
        var translated = new StringBuilder(line.Length);
        foreach (var c in line)
        {
            if (c is >= '\u0080' and <= '\u009F')
                translated.Append(Windows1252.ToUnicode((byte)c));
            else if (Ligatures.TryGetValue(c, out var letters))
                translated.Append(letters);
            else
                translated.Append(c);
        }
        return translated.ToString();
    }

    private static string UnifyMarks(string line)
    {
        line = SingleQuote().Replace(DoubleQuote().Replace(line, "\""), "'");
        return LineBreak().Replace(line, "\n");
    }

    private static string ReplaceLoneSurrogates(string line)
    {
        if (!line.Any(char.IsSurrogate))
            return line;
        var whole = new StringBuilder(line.Length);
        foreach (var rune in line.EnumerateRunes())
            whole.Append(rune);
        return whole.ToString();
    }

    // Python's \s, which holds the four separators U+001C to U+001F that .NET's lacks.
    [GeneratedRegex("[\\s\\u001C-\\u001F]+")]
    private static partial Regex Whitespace();

    [GeneratedRegex("[\\u02BC\\u2018-\\u201B]")]
    private static partial Regex SingleQuote();

    [GeneratedRegex("[\\u201C-\\u201F]")]
    private static partial Regex DoubleQuote();

    [GeneratedRegex("\\r\\n|[\\r\\u2028\\u2029\\u0085]")]
    private static partial Regex LineBreak();

    [GeneratedRegex("\\u001B\\[[0-9;]*[a-zA-Z]")]
    private static partial Regex TerminalEscape();

    // Tab, line feed, form feed and carriage return have their uses; the rest of these do not in a prompt.
    [GeneratedRegex("[\\u0000-\\u0008\\u000B\\u000E-\\u001F\\u007F\\u206A-\\u206F\\uFEFF\\uFFF9-\\uFFFC]")]
    private static partial Regex ControlCharacter();
}
