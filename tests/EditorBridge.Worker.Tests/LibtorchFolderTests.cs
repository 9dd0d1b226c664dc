using System.Diagnostics;
using EditorBridge.Diffusion.Native;
using EditorBridge.Protocol.Worker.V1;
using Google.Protobuf;

namespace EditorBridge.Worker.Tests;

/// <summary>The worker with a libtorch that is not its own: EDITORBRIDGE_LIBTORCH.</summary>
[Trait("Speed", "slow")]
public sealed class LibtorchFolderTests : IDisposable
{
    private static readonly string Model = Path.Combine(AppContext.BaseDirectory, "models", "sketch");

    private readonly string _folder = Directory.CreateTempSubdirectory("eb-libtorch-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("lib")]
    [InlineData("")]
    public void A_libtorch_elsewhere_is_used(string named)
    {
        if (OperatingSystem.IsWindows()) return;
        var lib = Directory.CreateDirectory(Path.Combine(_folder, "lib")).FullName;
        Link(lib, NativeTorch.Folder);
        var measured = Measure(Path.Combine(_folder, named), Model, "auto");
        Assert.Equal("", measured.Problem);
        Assert.Equal(lib, measured.TorchFolder);
        Assert.Equal(NativeTorch.Version, measured.TorchVersion);
        if (!NativeTorch.HasCuda) Assert.Equal("cpu", measured.Device);
        Assert.True(measured.Flops > 0);
    }

    [Fact]
    public void The_worker_s_own_is_used_when_none_is_named()
    {
        var measured = Measure("", Model, "cpu");
        Assert.Equal("", measured.Problem);
        Assert.StartsWith(NativeTorch.Expected, measured.TorchVersion, StringComparison.Ordinal);
        Assert.Equal("cpu", measured.Device);
    }

    [Fact]
    public void A_gpu_in_a_libtorch_without_one_is_refused_with_its_folder()
    {
        if (NativeTorch.HasCuda) return;
        var problem = Measure("", Model, "cuda").Problem;
        Assert.Contains("The device 'cuda' cannot be used", problem, StringComparison.Ordinal);
        Assert.Contains("EDITORBRIDGE_LIBTORCH", problem, StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_that_is_not_there_is_named() => Refused(Path.Combine(_folder, "none"), "does not exist");

    [Fact]
    public void A_folder_without_libtorch_is_named_with_what_is_missing() => Refused(_folder, "there is no", "torch_cpu");

    [Fact]
    public void A_file_that_is_no_library_is_named()
    {
        if (!OperatingSystem.IsLinux()) return;
        File.WriteAllText(Path.Combine(_folder, "libtorch_cpu.so"), "not a library");
        Refused(_folder, "libtorch_cpu.so", "does not load");
    }

    [Fact]
    public void Another_libtorch_than_the_binding_was_built_for_is_refused_before_it_ends_the_process()
    {
        if (!OperatingSystem.IsLinux()) return;
        // The right names, and one library that loads and has none of the functions.
        Link(_folder, NativeTorch.Folder);
        File.Delete(Path.Combine(_folder, "libtorch_cpu.so"));
        File.CreateSymbolicLink(Path.Combine(_folder, "libtorch_cpu.so"), Path.Combine(NativeTorch.Folder, "libtorch_global_deps.so"));
        Refused(_folder, "is not libtorch " + NativeTorch.Expected, "functions");
    }

    private static void Link(string folder, string original)
    {
        foreach (var file in Directory.EnumerateFiles(original))
            if (!Path.GetFileName(file).Contains("LibTorchSharp", StringComparison.Ordinal)) File.CreateSymbolicLink(Path.Combine(folder, Path.GetFileName(file)), file);
    }

    private static void Refused(string folder, params string[] said)
    {
        var problem = Measure(folder, Model, "auto").Problem;
        Assert.Contains($"EDITORBRIDGE_LIBTORCH names the folder '{folder}'", problem, StringComparison.Ordinal);
        Assert.All(said, part => Assert.Contains(part, problem, StringComparison.Ordinal));
    }

    private static SpeedMeasured Measure(string libtorch, string model, string device)
    {
        var info = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, OperatingSystem.IsWindows() ? "EditorBridge.Worker.exe" : "EditorBridge.Worker"))
        {
            UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
        };
        info.Environment[NativeTorch.FolderVariable] = libtorch;
        using var worker = Process.Start(info)!;
        using var limit = new Timer(_ => worker.Kill(), null, TimeSpan.FromSeconds(300), Timeout.InfiniteTimeSpan);
        worker.ErrorDataReceived += (_, _) => { };
        worker.BeginErrorReadLine();
        try
        {
            new HostMessage { MeasureSpeed = new MeasureSpeed { ModelFolder = model, Device = device } }.WriteDelimitedTo(worker.StandardInput.BaseStream);
            worker.StandardInput.BaseStream.Flush();
            while (true)
            {
                var message = WorkerMessage.Parser.ParseDelimitedFrom(worker.StandardOutput.BaseStream);
                if (message.SpeedMeasured is { } measured) return measured;
            }
        }
        finally
        {
            worker.StandardInput.Close();
            if (!worker.WaitForExit(TimeSpan.FromSeconds(30))) worker.Kill();
        }
    }
}
