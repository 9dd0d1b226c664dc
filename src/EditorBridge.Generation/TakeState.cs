using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using EditorBridge.Diffusion.Native;
using EditorBridge.Diffusion.Samplers;
using EditorBridge.Diffusion.Weights;
using EditorBridge.Models.Safetensors;
using EditorBridge.Planning;
using static TorchSharp.torch;

namespace EditorBridge.Generation;

/// <summary>
/// What a killed take goes on from: latents and solver history of the window at work, and the final latents of the windows before it. Each file is
/// replaced as a whole. A fingerprint of everything the numbers depend on lies beside them; state of another run is removed.
/// </summary>
/// <remarks>
/// No generator state is kept: a window's noise is drawn at once from its seed, and the solvers draw none. What is saved lies on the CPU and names no
/// device: a take that began on a GPU goes on without one, though not to the same last bits.
/// </remarks>
internal sealed class TakeState
{
    private readonly JobFolder folder;
    private readonly int take;

    private TakeState(JobFolder folder, int take, int threads, int vaeTile)
    {
        this.folder = folder;
        this.take = take;
        (Threads, VaeTile) = (threads, vaeTile);
    }

    /// <summary>Threads of every run of this take: with another number sums come out in another order.</summary>
    public int Threads { get; }

    /// <summary>Side in latents of the tiles that the VAE works in, in every run of this take; 0: whole pictures.</summary>
    public int VaeTile { get; }

    /// <summary>Opens the state of a take, keeping the number of threads and the tiles it began with.</summary>
    public static TakeState Open(JobFolder folder, Plan plan, int take, string modelHash, int threads, int vaeTile)
    {
        // Estimates may differ from plan to plan and change nothing.
        var bare = plan with
        {
            Memory = MemoryEstimate.None,
            Time = new TimeEstimate { Basis = TimeBasis.Unknown, SamplingSeconds = 0, VaeSeconds = 0, TotalSeconds = 0 },
        };
        var text = JsonSerializer.Serialize(bare, PlanningJson.Default.Plan) + modelHash;
        var fingerprint = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

        var runFile = Path.Combine(folder.State(take), "run");
        var run = File.Exists(runFile) ? File.ReadAllText(runFile).Split(' ') : [];
        var cut = 0;
        if (run.Length is 2 or 3 && run[0] == fingerprint && int.TryParse(run[1], CultureInfo.InvariantCulture, out var begun) && begun is >= 1 and <= 1024
            && (run.Length == 2 || int.TryParse(run[2], CultureInfo.InvariantCulture, out cut) && cut is 0 or >= 4))
        {
            (threads, vaeTile) = (begun, cut);
        }
        else
        {
            if (Directory.Exists(folder.State(take))) Directory.Delete(folder.State(take), recursive: true);
            if (Directory.Exists(folder.Take(take))) Directory.Delete(folder.Take(take), recursive: true);
            Directory.CreateDirectory(folder.State(take));
            File.WriteAllText(runFile, string.Create(CultureInfo.InvariantCulture, $"{fingerprint} {threads} {vaeTile}"));
        }

        Directory.CreateDirectory(folder.Take(take));
        return new TakeState(folder, take, threads, vaeTile);
    }

    /// <summary>Saves the step a window is at.</summary>
    public void SaveStep(int window, FlowSampling sampling)
    {
        using var state = sampling.Save();
        state.Write(StepFile(window));
    }

    /// <summary>Goes back to the saved step of a window, if there is one.</summary>
    public void RestoreStep(int window, FlowSampling sampling)
    {
        if (!File.Exists(StepFile(window))) return;
        using var state = SamplingState.Read(StepFile(window));
        sampling.Restore(state);
    }

    /// <summary>Saves the final latents of a window; the steps that led there are not needed any more.</summary>
    public void SaveLatents(int window, Tensor latents)
    {
        using var scope = NewDisposeScope();
        WeightSaver.Save(new Dictionary<string, Tensor> { ["latents"] = ComputeDevice.ToCpu(latents) }, folder.Latents(take, window));
        File.Delete(StepFile(window));
    }

    /// <summary>The final latents of a window, on the CPU, or null when it is not finished.</summary>
    public Tensor? Latents(int window)
    {
        if (!File.Exists(folder.Latents(take, window))) return null;
        using var file = SafetensorsFile.Open(folder.Latents(take, window)).OrThrow();
        using var view = MappedTensors.View(file.Tensors["latents"]);
        return view.clone();
    }

    /// <summary>Where the float frames of a window wait for the last one.</summary>
    public string FramesFile(int window) => Path.Combine(folder.State(take), string.Create(CultureInfo.InvariantCulture, $"window-{window}.f32"));

    /// <summary>Removes what only an unfinished take needs.</summary>
    public void Clear() => Directory.Delete(folder.State(take), recursive: true);

    private string StepFile(int window) => Path.Combine(folder.State(take), string.Create(CultureInfo.InvariantCulture, $"window-{window}.safetensors"));
}
