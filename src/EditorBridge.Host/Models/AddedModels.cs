using System.Text.Json;
using EditorBridge.Models.Store;

namespace EditorBridge.Host.Models;

/// <summary>The models that users added where they lie, kept in the data folder.</summary>
internal sealed class AddedModels(DataFolder folder)
{
    private static readonly JsonSerializerOptions Json = new() { WriteIndented = true };

    private readonly Lock _gate = new();

    private string File => Path.Combine(folder.Root, "models.json");

    /// <summary>All of them.</summary>
    /// <exception cref="InvalidDataException">The file is damaged.</exception>
    public IReadOnlyList<ModelPlace> All()
    {
        lock (_gate) return Read();
    }

    /// <summary>Keeps <paramref name="places"/>; one of the same name is replaced.</summary>
    public void Add(IReadOnlyList<ModelPlace> places)
    {
        lock (_gate) Write([.. Read().Where(old => places.All(place => place.Name != old.Name)), .. places]);
    }

    /// <summary>Forgets one.</summary>
    public void Remove(string name)
    {
        lock (_gate) Write([.. Read().Where(place => place.Name != name)]);
    }

    private List<ModelPlace> Read()
    {
        if (!System.IO.File.Exists(File)) return [];
        try
        {
            return JsonSerializer.Deserialize<List<ModelPlace>>(System.IO.File.ReadAllBytes(File), Json) ?? [];
        }
        catch (JsonException error)
        {
            throw new InvalidDataException($"The list of models '{File}' is damaged ({error.Message.TrimEnd('.')}); remove it and add the models again.", error);
        }
    }

    private void Write(List<ModelPlace> places)
    {
        var temporary = File + ".tmp";
        System.IO.File.WriteAllBytes(temporary, JsonSerializer.SerializeToUtf8Bytes(places, Json));
        Clips.DurableFile.Publish(temporary, File);
    }
}
