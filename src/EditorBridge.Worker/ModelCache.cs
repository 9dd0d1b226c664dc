using EditorBridge.Diffusion.Native;
using EditorBridge.Generation;
using EditorBridge.Planning;

namespace EditorBridge.Worker;

/// <summary>The model in memory: one at a time, kept from one take to the next.</summary>
internal static class ModelCache
{
    private static string _folder = "";
    private static string _device = "";
    private static IReadOnlyList<LoraRequest> _loras = [];
    private static LoadedModel? _model;

    /// <summary>The model of a plan, arranged in memory as the plan says, or, where that is not free any more, in the nearest way that fits.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="folder">Where the model lies.</param>
    /// <param name="device">Where it goes.</param>
    /// <returns>The model, the tiles its VAE is to work in, and what is otherwise than planned.</returns>
    /// <exception cref="GenerationException">Model, device or a LoRA cannot be used, or memory is too small.</exception>
    public static (LoadedModel Model, int VaeTile, IReadOnlyList<string> Notes) For(Plan plan, string folder, string device)
    {
        var chosen = ComputeDevice.Choose(device.Length > 0 ? device : "auto");
        if (!chosen.Ok) throw new GenerationException("device_unusable", chosen.Problem);
        var check = MemoryCheck.AtStart(plan, FreeMemory.Now(chosen.Value), chosen.Value.Device.type != TorchSharp.DeviceType.CPU);
        if (check.Refusal is { } refusal) throw new GenerationException(refusal.Code, refusal.Message);
        return (Get(folder, device, plan.Request.Loras, check.Use.Arrangement is MemoryArrangement.Cpu ? null : check.Use.Arrangement), check.Use.VaeTile, check.Notes);
    }

    /// <summary>The model in <paramref name="folder"/> on <paramref name="device"/>, loaded unless it is there already.</summary>
    /// <param name="folder">Where it lies.</param>
    /// <param name="device">Where it goes.</param>
    /// <param name="loras">LoRAs that are added to it; null where it does not matter which are.</param>
    /// <param name="arrangement">Where its weights are; null where it does not matter.</param>
    /// <exception cref="GenerationException">Model, device or a LoRA cannot be used.</exception>
    public static LoadedModel Get(string folder, string device, IReadOnlyList<LoraRequest>? loras = null, MemoryArrangement? arrangement = null)
    {
        if (_model is not null && (_folder, _device) == (folder, device) && (loras is null || loras.SequenceEqual(_loras)) && (arrangement is null || arrangement == _model.Arrangement)) return _model;
        _model?.Dispose();
        _model = null;
        // Whoever says nothing leaves the choice to us.
        _model = LoadedModel.Load(folder, Path.GetFileName(Path.TrimEndingDirectorySeparator(folder)), device.Length > 0 ? device : "auto", loras, arrangement);
        (_folder, _device, _loras) = (folder, device, loras ?? []);
        return _model;
    }
}
