using System.Globalization;
using System.Text;
using System.Text.Json;

namespace EditorBridge.Training.Measure;

/// <summary>Measured figures with what is aimed at.</summary>
public sealed class QualityTable
{
    private readonly List<(string Group, string Name, double Value, string Unit, string Aim)> _rows = [];

    /// <summary>Adds a figure.</summary>
    public void Add(string group, string name, double value, string unit, string aim = "") => _rows.Add((group, name, value, unit, aim));

    /// <summary>The table in Markdown.</summary>
    public string ToMarkdown()
    {
        var text = new StringBuilder("| group | what | measured | aim |\n|---|---|---|---|\n");
        foreach (var (group, name, value, unit, aim) in _rows)
        {
            string shown = unit == "%" ? (100 * value).ToString("F0", CultureInfo.InvariantCulture) + " %"
                : value.ToString(Math.Abs(value) < 0.2 ? "F4" : "F2", CultureInfo.InvariantCulture) + (unit.Length > 0 ? " " + unit : "");
            text.Append(CultureInfo.InvariantCulture, $"| {group} | {name} | {shown} | {aim} |\n");
        }

        return text.ToString();
    }

    /// <summary>The figures as JSON.</summary>
    public string ToJson() => JsonSerializer.Serialize(
        _rows.Select(r => new Dictionary<string, object?> { ["group"] = r.Group, ["name"] = r.Name, ["value"] = double.IsFinite(r.Value) ? r.Value : null, ["unit"] = r.Unit, ["aim"] = r.Aim }),
        new JsonSerializerOptions { WriteIndented = true });
}
