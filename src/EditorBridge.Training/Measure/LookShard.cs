using EditorBridge.Diffusion.Weights;
using EditorBridge.Models.Safetensors;
using static TorchSharp.torch;

namespace EditorBridge.Training.Measure;

/// <summary>Looks in a file, which one process makes and another learns from.</summary>
internal static class LookShard
{
    /// <summary>Writes looks of one kind.</summary>
    /// <param name="path">The file; replaced as a whole.</param>
    /// <param name="looks">What to write.</param>
    /// <param name="decoded">Whether they went through the autoencoder.</param>
    public static void Write(string path, IReadOnlyList<Look> looks, bool decoded)
    {
        using var scope = NewDisposeScope();
        WeightSaver.Save(
            new Dictionary<string, Tensor>
            {
                ["looks"] = tensor(looks.SelectMany(look => look.Pixels).ToArray(), [looks.Count, SceneClassifier.Looks.Count, 3, SceneClassifier.Rows, SceneClassifier.Columns]),
                ["facts"] = tensor(looks.SelectMany(look => look.Facts).ToArray(), [looks.Count, SceneFacts.Names.Count]),
            },
            path, null, new Dictionary<string, string> { ["decoded"] = decoded ? "yes" : "no" });
    }

    /// <summary>Reads them all.</summary>
    public static (IReadOnlyList<Look> Looks, bool Decoded) Read(string path)
    {
        using var file = SafetensorsFile.Open(path).OrThrow();
        using var scope = NewDisposeScope();
        byte[] pixels = MappedTensors.View(file.Tensors["looks"]).clone().data<byte>().ToArray();
        long[] facts = MappedTensors.View(file.Tensors["facts"]).clone().data<long>().ToArray();
        int each = SceneFacts.Names.Count;
        return ([.. pixels.Chunk(Look.Bytes).Select((p, i) => new Look(p, facts[(i * each)..((i + 1) * each)]))], file.Header.Metadata["decoded"] == "yes");
    }
}
