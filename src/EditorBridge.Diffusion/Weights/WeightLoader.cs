using EditorBridge.Models.Safetensors;
using TorchSharp;

namespace EditorBridge.Diffusion.Weights;

/// <summary>Fills modules from safetensors by name.</summary>
public static class WeightLoader
{
    /// <summary>Copies every tensor of one file into the module, converting to the module's type and device.</summary>
    /// <param name="module">Names of its parameters and persistent buffers are the keys.</param>
    /// <param name="file">The weights.</param>
    /// <param name="rename">From the checkpoint's key to the module's, null for a key to be left out; identity when not given.</param>
    /// <exception cref="InvalidDataException">A key is missing, left over or of another shape; the message names them.</exception>
    public static void Load(torch.nn.Module module, SafetensorsFile file, Func<string, string?>? rename = null) => Load(module, [file], rename);

    /// <summary>Copies every tensor of a sharded checkpoint into the module, converting to the module's type and device.</summary>
    /// <param name="module">Names of its parameters and persistent buffers are the keys.</param>
    /// <param name="files">The shards.</param>
    /// <param name="rename">From the checkpoint's key to the module's, null for a key to be left out; identity when not given.</param>
    /// <exception cref="InvalidDataException">A key is missing, left over or of another shape; the message names them.</exception>
    public static void Load(torch.nn.Module module, IReadOnlyList<SafetensorsFile> files, Func<string, string?>? rename = null)
    {
        var wanted = module.state_dict();
        var found = new Dictionary<string, (SafetensorsFile File, SafetensorsEntry Entry)>(StringComparer.Ordinal);
        var problems = new List<string>();
        foreach (var file in files)
        {
            foreach (var entry in file.Header.Tensors)
            {
                var key = rename is null ? entry.Name : rename(entry.Name);
                if (key is null)
                    continue;
                if (!wanted.TryGetValue(key, out var target))
                    problems.Add($"'{Both(entry.Name, key)}' is not part of the network");
                else if (!target.shape.SequenceEqual(entry.Shape))
                    problems.Add($"'{Both(entry.Name, key)}' is [{string.Join(", ", entry.Shape)}], the network has [{string.Join(", ", target.shape)}]");
                else if (!found.TryAdd(key, (file, entry)))
                    problems.Add($"'{Both(entry.Name, key)}' is there twice");
            }
        }
        problems.AddRange(wanted.Keys.Where(key => !found.ContainsKey(key)).Select(key => $"'{key}' is missing"));
        if (problems.Count > 0)
            throw new InvalidDataException(
                $"The weights in '{files.FirstOrDefault()?.Path}' do not fit {module.GetName()}: {string.Join("; ", problems.Take(5))}"
                + (problems.Count > 5 ? $"; and {problems.Count - 5} more." : "."));

        using var noGrad = torch.no_grad();
        foreach (var (key, (file, entry)) in found)
        {
            using var scope = torch.NewDisposeScope();
            wanted[key].copy_(MappedTensors.View(file, entry)); // The same object comes back: nothing of the module joins the scope.
        }
    }

    /// <summary>Opens all weight files of a component's folder and fills the module from them.</summary>
    /// <param name="module">Names of its parameters and persistent buffers are the keys.</param>
    /// <param name="folder">A folder such as <c>transformer/</c>: one safetensors file or its shards.</param>
    /// <param name="rename">From the checkpoint's key to the module's, null for a key to be left out; identity when not given.</param>
    /// <exception cref="InvalidDataException">There are no weights, a file is damaged, or a key does not fit.</exception>
    public static void Load(torch.nn.Module module, string folder, Func<string, string?>? rename = null)
    {
        var files = new List<SafetensorsFile>();
        try
        {
            foreach (var path in WeightFiles.In(folder).OrThrow())
                files.Add(SafetensorsFile.Open(path).OrThrow());
            Load(module, files, rename);
        }
        finally
        {
            files.ForEach(file => file.Dispose());
        }
    }

    private static string Both(string original, string key) => original == key ? key : $"{original} ({key})";
}
