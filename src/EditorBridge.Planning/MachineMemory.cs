namespace EditorBridge.Planning;

/// <summary>Memory of the machine that a job runs on.</summary>
/// <param name="Host">Bytes of main memory; 0 when not known.</param>
/// <param name="Device">Bytes of the GPU that jobs run on; 0 when they run on the CPU, or when not known.</param>
public sealed record MachineMemory(long Host, long Device = 0)
{
    /// <summary>Nothing is known.</summary>
    public static readonly MachineMemory Unknown = new(0);
}
