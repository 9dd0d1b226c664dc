namespace EditorBridge.Diffusion.Weights;

/// <summary>Where the large weights of a network are while it computes. Norms, biases and tables are always the network's own, in float32.</summary>
public enum WeightPlacement
{
    /// <summary>In memory of the device, unpacked to the network's type: the fastest, four bytes a value. The way of small networks and of training.</summary>
    Unpacked,

    /// <summary>
    /// As they are in the file, whatever their type, and upcast piece by piece where they are used: on the CPU they are the mapped file itself, on other
    /// devices a copy of it in the same type (blocks of GGUF become bfloat16).
    /// </summary>
    AsStored,

    /// <summary>In the mapped file; what a layer needs goes to the device when it computes and is let go afterwards. On the CPU the same as <see cref="AsStored"/>.</summary>
    Streamed,

    /// <summary>In the mapped file; all of it goes to the device when the network's turn comes and leaves when it ends: for two networks of which one fits. On the CPU the same as <see cref="AsStored"/>.</summary>
    InTurns,
}
