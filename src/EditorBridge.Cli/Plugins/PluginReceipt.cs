using System.Text.Json;
using System.Text.Json.Serialization;
using EditorBridge.Client;

namespace EditorBridge.Cli.Plugins;

/// <summary>One file that was installed.</summary>
/// <param name="Path">Where it is.</param>
/// <param name="Sha256">What it was when it was written, lower-case hex.</param>
internal sealed record InstalledFile(string Path, string Sha256);

/// <summary>What was installed for an editor, so that it can be undone: every file, and every folder that was made for them.</summary>
internal sealed record PluginReceipt
{
    /// <summary>The files, in the order they were written.</summary>
    public required IReadOnlyList<InstalledFile> Files { get; init; }

    /// <summary>Folders that were not there before, outer ones first.</summary>
    public required IReadOnlyList<string> Folders { get; init; }

    /// <summary>The receipt of an editor; null when nothing was installed.</summary>
    /// <exception cref="Refused">It cannot be read.</exception>
    public static PluginReceipt? Read(string editor)
    {
        var path = PathOf(editor);
        if (!File.Exists(path)) return null;
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(path), ReceiptJson.Default.PluginReceipt) ?? throw new JsonException("It is empty.");
        }
        catch (JsonException error)
        {
            throw new Refused("RECEIPT_DAMAGED", $"{path}, which says what was installed, cannot be read ({error.Message.TrimEnd('.')}); remove the plugin's files by hand, then this one.");
        }
    }

    /// <summary>Writes the receipt.</summary>
    public void Write(string editor)
    {
        var path = PathOf(editor);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path + ".tmp", JsonSerializer.SerializeToUtf8Bytes(this, ReceiptJson.Default.PluginReceipt));
        File.Move(path + ".tmp", path, overwrite: true);
    }

    /// <summary>Forgets what was installed.</summary>
    public static void Remove(string editor) => File.Delete(PathOf(editor));

    private static string PathOf(string editor) => Path.Combine(DataFolder.Default(), "plugins", editor + ".json");
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true)]
[JsonSerializable(typeof(PluginReceipt))]
internal sealed partial class ReceiptJson : JsonSerializerContext;
