using System.Globalization;
using System.Text;

namespace EditorBridge.Benchmarks;

/// <summary>Figures as a Markdown table.</summary>
internal static class Table
{
    public static string Of(IReadOnlyList<Measurement> rows)
    {
        var text = new StringBuilder();
        text.AppendLine("| | device | time | GFLOP/s | of the matrix rate | to plain products (processor time) | loading | peak anonymous (planned) | mapped |");
        text.AppendLine("|---|---|---|---|---|---|---|---|---|");
        foreach (var row in rows)
        {
            text.AppendLine(string.Create(CultureInfo.InvariantCulture,
                $"| {row.Name} | {row.Device} | {row.Seconds:F2} s | {row.Rate / 1e9:F0} | {Share(row)} | {Ratio(row)} | {row.LoadSeconds:F2} s | {row.PeakAnonymous / 1e9:F2} GB{Planned(row)} | {row.Mapped / 1e9:F2} GB |"));
        }

        return text.ToString();
    }

    private static string Share(Measurement row) => row.MatrixRate > 0 ? string.Create(CultureInfo.InvariantCulture, $"{row.Rate / row.MatrixRate:P0}") : "";

    private static string Planned(Measurement row) => row.Planned > 0 ? string.Create(CultureInfo.InvariantCulture, $" ({row.Planned / 1e9:F2} GB)") : "";

    private static string Ratio(Measurement row) =>
        row.PlainSeconds > 0 ? string.Create(CultureInfo.InvariantCulture, $"{row.Ratio:F2} ({row.ProcessorRatio:F2})") : "";
}
