using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using EditorBridge.Planning;

namespace EditorBridge.Host.Models;

/// <summary>Reads how much memory this machine has for jobs. A GPU counts once it is known that jobs run on it: by the setting, or because a worker said so.</summary>
internal sealed class MachineMemoryReader(HostOptions options, ILogger<MachineMemoryReader> log)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new();
    private string _device = options.Device;
    private (string Device, long Bytes)? _gpu;

    /// <summary>The memory, limits of a container included.</summary>
    public MachineMemory Read()
    {
        lock (_gate)
        {
            if (!_device.StartsWith("cuda", StringComparison.Ordinal)) return new MachineMemory(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes);
            if (_gpu is null || _gpu.Value.Device != _device) _gpu = (_device, GpuBytes(_device.Split(':') is [_, var index] ? index : "0"));
            return new MachineMemory(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes, _gpu.Value.Bytes);
        }
    }

    /// <summary>Remembers which device a worker computes on.</summary>
    /// <param name="device">Its name, such as cpu or cuda:0; "" when it could not say.</param>
    public void ComputesOn(string device)
    {
        lock (_gate) _device = device.Length > 0 ? device : _device;
    }

    // The driver's own program comes with every driver; 0 where it does not answer, and then nothing is refused for the GPU's memory.
    private long GpuBytes(string index)
    {
        var start = new ProcessStartInfo("nvidia-smi") { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in (string[])["--id=" + index, "--query-gpu=memory.total", "--format=csv,noheader,nounits"]) start.ArgumentList.Add(argument);
        try
        {
            using var program = Process.Start(start);
            if (program is null) return 0;
            var answer = program.StandardOutput.ReadToEndAsync();
            if (!program.WaitForExit(Patience))
            {
                program.Kill();
                log.LogWarning("nvidia-smi does not answer; plans do not know how much memory the GPU has");
                return 0;
            }

            return long.TryParse(answer.GetAwaiter().GetResult().Trim(), CultureInfo.InvariantCulture, out var mebibytes) ? mebibytes << 20 : 0;
        }
        catch (Win32Exception)
        {
            return 0;
        }
    }
}
