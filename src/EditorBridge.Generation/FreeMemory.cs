using System.Globalization;
using EditorBridge.Diffusion.Native;
using EditorBridge.Planning;

namespace EditorBridge.Generation;

/// <summary>What memory a take can have on this machine at the moment: what is free, and what this process holds already.</summary>
public static class FreeMemory
{
    // What torch has given back of the GPU's memory it keeps for itself: the driver's answer counts it as taken from the first weight on.
    private static readonly Dictionary<string, long> FirstSeen = [];

    /// <summary>Main memory, and the GPU's if the take runs on one. 0 for what the system does not say.</summary>
    /// <param name="device">Where the take runs.</param>
    public static MachineMemory Now(ComputeDevice device)
    {
        lock (FirstSeen)
        {
            if (!FirstSeen.TryGetValue(device.Name, out var onDevice)) FirstSeen[device.Name] = onDevice = device.FreeMemory() ?? 0;
            return new MachineMemory(Host(), onDevice);
        }
    }

    /// <summary>What is taken of a GPU's memory since <see cref="Now"/> first looked at it; null where nobody did, or the device does not say.</summary>
    /// <param name="device">The device.</param>
    internal static long? TakenOn(ComputeDevice device)
    {
        lock (FirstSeen)
            return FirstSeen.TryGetValue(device.Name, out var first) && first > 0 && device.FreeMemory() is { } free ? Math.Max(0, first - free) : null;
    }

    private static long Host()
    {
        var whole = GC.GetGCMemoryInfo();
        const string Facts = "/proc/meminfo", Available = "MemAvailable:";
        var free = Math.Max(0, whole.TotalAvailableMemoryBytes - whole.MemoryLoadBytes);
        if (OperatingSystem.IsLinux() && File.ReadLines(Facts).FirstOrDefault(line => line.StartsWith(Available, StringComparison.Ordinal)) is { } found)
            free = long.Parse(found.AsSpan(Available.Length).Trim().TrimEnd("kB "), CultureInfo.InvariantCulture) * 1024;
        // A container may be allowed less than the machine has.
        return Math.Min(whole.TotalAvailableMemoryBytes, free + MemoryWatch.Now());
    }
}
