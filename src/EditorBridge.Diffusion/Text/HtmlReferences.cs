using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace EditorBridge.Diffusion.Text;

/// <summary>
/// Character references of HTML 5, resolved as browsers (and Python's <c>html.unescape</c>) do: all 2,125 names, the old ones also
/// without a semicolon and as the longest known prefix, numbers in the Windows-1252 gap remapped, impossible ones U+FFFD.
/// <see cref="System.Net.WebUtility.HtmlDecode(string)"/> knows neither most of the names nor a missing semicolon.
/// </summary>
internal static partial class HtmlReferences
{
    private static readonly Dictionary<string, string> Names = ReadNames();
    private static readonly Dictionary<string, string> CapitalisedNames = Capitalise();

    /// <summary>The text with every reference resolved, once.</summary>
    public static string Unescape(string text) =>
        text.Contains('&') ? AnyReference().Replace(text, static m => Resolve(m.Value)) : text;

    /// <summary>
    /// Only references that end in a semicolon and are certain, as text repair does it; names in capitals whose
    /// lower-case form exists (<c>&amp;EACUTE;</c>) count too.
    /// </summary>
    public static string UnescapeCertain(string text) =>
        text.Contains('&') ? CertainReference().Replace(text, static m => ResolveCertain(m.Value)) : text;

    private static string ResolveCertain(string reference)
    {
        if (reference[1] == '#')
        {
            var resolved = Resolve(reference);
            return resolved.Contains(';') ? reference : resolved;
        }
        var name = reference[1..];
        return Names.GetValueOrDefault(name) ?? CapitalisedNames.GetValueOrDefault(name) ?? reference;
    }

    private static string Resolve(string reference)
    {
        if (reference[1] == '#')
            return ResolveNumber(reference[2..].TrimEnd(';'));
        var name = reference[1..];
        if (Names.TryGetValue(name, out var whole))
            return whole;
        for (var length = name.Length - 1; length > 1; length--)
        {
            if (Names.TryGetValue(name[..length], out var prefix))
                return prefix + name[length..];
        }
        return reference;
    }

    private static string ResolveNumber(string digits)
    {
        var hexadecimal = digits[0] is 'x' or 'X';
        var significant = (hexadecimal ? digits[1..] : digits).TrimStart('0');
        if (significant.Length > 8)
            return "\uFFFD";
        var code = significant.Length == 0 ? 0 : hexadecimal
            ? long.Parse(significant, NumberStyles.HexNumber, CultureInfo.InvariantCulture)
            : long.Parse(significant, CultureInfo.InvariantCulture);
        return code switch
        {
            0 or (>= 0xD800 and <= 0xDFFF) or > 0x10FFFF => "\uFFFD",
            0x0D => "\r",
            >= 0x80 and <= 0x9F => Windows1252.ToUnicode((byte)code).ToString(),
            (>= 0x01 and <= 0x08) or 0x0B or (>= 0x0E and <= 0x1F) or 0x7F or (>= 0xFDD0 and <= 0xFDEF) => "",
            _ when (code & 0xFFFE) == 0xFFFE => "",
            _ => new Rune((int)code).ToString(),
        };
    }

    private static Dictionary<string, string> ReadNames()
    {
        var names = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var line in EmbeddedTable.Lines("HtmlEntities.txt"))
        {
            var fields = line.Split(' ');
            var value = string.Concat(fields[1..].Select(
                static f => new Rune(int.Parse(f, NumberStyles.HexNumber, CultureInfo.InvariantCulture)).ToString()));
            names[fields[0]] = value;
            if (!fields[0].EndsWith(';'))
                names[fields[0] + ";"] = value;
        }
        return names;
    }

    private static Dictionary<string, string> Capitalise()
    {
        var capitals = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, value) in Names)
        {
            if (!name.EndsWith(';') || name != name.ToLowerInvariant())
                continue;
            var capital = name.ToUpperInvariant();
            if (Resolve("&" + capital) == "&" + capital)
                capitals[capital] = value.ToUpperInvariant();
        }
        return capitals;
    }

    [GeneratedRegex("&(?:#[0-9]+;?|#[xX][0-9a-fA-F]+;?|[^\\t\\n\\f <&#;]{1,32};?)")]
    private static partial Regex AnyReference();

    [GeneratedRegex("&#?[0-9A-Za-z]{1,24};")]
    private static partial Regex CertainReference();
}
