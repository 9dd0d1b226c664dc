namespace EditorBridge.Models.Checkpoints;

/// <summary>The tensors of a checkpoint by name, whatever kind of file they lie in.</summary>
public interface INamedTensors : IDisposable
{
    /// <summary>The file, or the folder of several; what to call the checkpoint in a problem.</summary>
    string Path { get; }

    /// <summary>The tensors by their names in the checkpoint; valid until disposed.</summary>
    IReadOnlyDictionary<string, NamedTensor> Tensors { get; }
}
