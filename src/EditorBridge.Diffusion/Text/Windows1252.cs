namespace EditorBridge.Diffusion.Text;

/// <summary>
/// Windows code page 1252 with its five holes read as the control characters of the same number, as browsers read it.
/// The table is the Encoding Standard's index windows-1252.
/// </summary>
internal static class Windows1252
{
    private const string UpperControls =
        "\u20AC\u0081\u201A\u0192\u201E\u2026\u2020\u2021\u02C6\u2030\u0160\u2039\u0152\u008D\u017D\u008F"
        + "\u0090\u2018\u2019\u201C\u201D\u2022\u2013\u2014\u02DC\u2122\u0161\u203A\u0153\u009D\u017E\u0178";

    /// <summary>The character of a byte.</summary>
    public static char ToUnicode(byte code) => code is >= 0x80 and <= 0x9F ? UpperControls[code - 0x80] : (char)code;

    /// <summary>The byte that reads as this character in Windows-1252 or in Latin-1; -1 where there is none.</summary>
    public static int ToByte(char character)
    {
        if (character <= '\u00FF')
            return character;
        var index = UpperControls.IndexOf(character, StringComparison.Ordinal);
        return index < 0 ? -1 : 0x80 + index;
    }
}
