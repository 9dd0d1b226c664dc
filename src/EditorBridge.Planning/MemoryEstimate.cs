namespace EditorBridge.Planning;

/// <summary>Where the weights of a job are while it runs.</summary>
public enum MemoryArrangement
{
    /// <summary>On the CPU: small networks in memory, large ones as mapped files that are read where they lie.</summary>
    Cpu,

    /// <summary>On a GPU: transformer and VAE stay there for the whole job; the text encoder goes through it layer by layer.</summary>
    Resident,

    /// <summary>On a GPU: of two transformers the one whose noise levels are sampled; they change places at the boundary.</summary>
    InTurns,

    /// <summary>On a GPU: the transformer stays in main memory and its blocks go through the GPU one by one, the next while one computes.</summary>
    Streamed,
}

/// <summary>What a plan needs, in bytes.</summary>
public sealed record MemoryEstimate
{
    /// <summary>Where the weights are.</summary>
    public MemoryArrangement Arrangement { get; init; }

    /// <summary>Weights that are in main memory for themselves.</summary>
    public required long Weights { get; init; }

    /// <summary>Weights that stay mapped files: the system keeps as much of them in memory as is free.</summary>
    public long Mapped { get; init; }

    /// <summary>Largest working set of a transformer pass.</summary>
    public required long TransformerActivations { get; init; }

    /// <summary>Cache and working set of the streaming VAE decode.</summary>
    public required long VaeStreaming { get; init; }

    /// <summary>Longest side in latents of the tiles that the VAE works in; 0: it has whole pictures.</summary>
    public int VaeTile { get; init; }

    /// <summary>Most main memory at any time, mapped files aside.</summary>
    public required long Peak { get; init; }

    /// <summary>Most memory of the GPU at any time; 0 on the CPU.</summary>
    public long DevicePeak { get; init; }

    /// <summary>Nothing.</summary>
    public static MemoryEstimate None { get; } = new() { Weights = 0, TransformerActivations = 0, VaeStreaming = 0, Peak = 0 };
}
