using System.Globalization;
using EditorBridge.Diffusion.Native;
using TorchSharp;

namespace EditorBridge.Diffusion.Tests.Native;

public class LargePiecesTests
{
    [Fact]
    public void LargeTensorsGiveTheirMemoryBack()
    {
        if (!OperatingSystem.IsLinux())
            return;
        const int Large = 16 << 20, Count = 40;
        // Once a piece of this size has been freed, the C library would by itself keep smaller ones in its heap.
        torch.ones((Large + (1 << 20)) / 4).Dispose();
        LargePieces.GoBackWhenFreed();
        using var scope = torch.NewDisposeScope();
        var held = new List<torch.Tensor>();
        for (var i = 0; i < Count; i++)
        {
            held.Add(torch.ones(Large / 4));
            _ = torch.ones(256); // stays, so that nothing above it can be given back from the heap
        }

        var before = OwnBytes();
        held.ForEach(tensor => tensor.Dispose());
        Assert.InRange(before - OwnBytes(), (long)Large * Count / 2, long.MaxValue);
    }

    private static long OwnBytes() =>
        1024 * long.Parse(File.ReadLines("/proc/self/status").Single(line => line.StartsWith("RssAnon:", StringComparison.Ordinal))["RssAnon:".Length..].Trim().Split(' ')[0], CultureInfo.InvariantCulture);
}
