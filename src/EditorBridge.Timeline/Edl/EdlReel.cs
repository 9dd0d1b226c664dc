using System.Globalization;

namespace EditorBridge.Timeline.Edl;

/// <summary>Names of reels: at most eight capital letters and digits (CMX 3600).</summary>
internal static class EdlReel
{
    /// <summary>Whether a reel stands for black, and so for no medium.</summary>
    public static bool IsBlack(string reel) => reel.Equals("BL", StringComparison.OrdinalIgnoreCase) || reel.Equals("BLACK", StringComparison.OrdinalIgnoreCase);

    /// <summary>A reel's name after a clip's, which no other reel has and which does not stand for black; it is among those taken afterwards.</summary>
    public static string NameOf(string clip, string otherwise, HashSet<string> taken)
    {
        var wanted = new string([.. clip.ToUpperInvariant().Where(char.IsAsciiLetterOrDigit).Take(8)]);
        if (wanted.Length == 0) wanted = otherwise;
        var reel = wanted;
        for (var i = 2; IsBlack(reel) || !taken.Add(reel); i++)
        {
            var suffix = i.ToString(CultureInfo.InvariantCulture);
            reel = wanted[..Math.Min(wanted.Length, 8 - suffix.Length)] + suffix;
        }

        return reel;
    }
}
