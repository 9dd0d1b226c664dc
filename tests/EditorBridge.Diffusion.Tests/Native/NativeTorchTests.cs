using System.Runtime.CompilerServices;
using EditorBridge.Diffusion.Native;
using TorchSharp;

namespace EditorBridge.Diffusion.Tests.Native;

public class NativeTorchTests
{
    [ModuleInitializer]
    internal static void LoadBeforeAnyTest()
    {
        NativeTorch.Load();
        torch.set_num_threads(1); // Tiny networks: threads would only wait for each other.
    }

    [Fact]
    public void TensorsWork()
    {
        using var scope = torch.NewDisposeScope();
        var product = torch.mm(torch.ones(2, 3), torch.ones(3, 4));
        Assert.Equal([2, 4], product.shape);
        Assert.Equal(3f, product[1, 2].item<float>());
        Assert.False(Directory.Exists(Path.Combine(AppContext.BaseDirectory, "cpu")), "TorchSharp fell back to copying its libraries");
    }

    [Fact]
    public void LoadingTwiceIsHarmless()
    {
        NativeTorch.Load();
        NativeTorch.Load();
    }

    [Fact]
    public void PatchRefusesWhatIsNotALibrary()
    {
        Assert.False(WeakVersionPatch.TryMarkWeak(new byte[10], WeakVersionPatch.Version));
        var text = System.Text.Encoding.ASCII.GetBytes(new string('x', 4096));
        Assert.False(WeakVersionPatch.TryMarkWeak(text, WeakVersionPatch.Version));
    }

    [Fact]
    public void PatchChangesOneByteOfTheBinding()
    {
        if (!OperatingSystem.IsLinux())
            return;
        var path = Path.Combine(AppContext.BaseDirectory, "runtimes", "linux-x64", "native", "libLibTorchSharp.so");
        var before = File.ReadAllBytes(path);
        var after = (byte[])before.Clone();
        Assert.True(WeakVersionPatch.TryMarkWeak(after, WeakVersionPatch.Version));
        Assert.Equal(1, before.Zip(after).Count(pair => pair.First != pair.Second));
        Assert.False(WeakVersionPatch.TryMarkWeak(after, "GLIBCXX_9.9.99"));
        // Cut anywhere, it is refused or patched, never read outside.
        for (var length = 0; length < before.Length; length += 40_009)
            WeakVersionPatch.TryMarkWeak(before[..length], WeakVersionPatch.Version);
    }
}
