using EditorBridge.Host.Models;
using EditorBridge.Models.Store;
using EditorBridge.Planning;
using EditorBridge.Protocol.V1;
using Grpc.Core;
using ModelCapabilities = EditorBridge.Protocol.V1.ModelCapabilities;

namespace EditorBridge.Host.Services;

/// <summary>editorbridge.v1.ModelService.</summary>
internal sealed partial class ModelServiceEndpoint(
    ModelStore models, AddedModels added, HostOptions options, TimeProvider clock, IHostApplicationLifetime lifetime) : ModelService.ModelServiceBase
{
    /// <inheritdoc/>
    public override Task<ListModelsResponse> ListModels(ListModelsRequest request, ServerCallContext context)
    {
        if (request.PageSize < 0) throw Errors.Invalid("page_size", "INVALID_ARGUMENT", "The page size is negative.");
        var size = request.PageSize == 0 ? 50 : Math.Min(request.PageSize, 1000);
        var all = models.All().OrderByDescending(m => m.Name == options.DefaultModel).ThenBy(m => m.Name, StringComparer.Ordinal).ToList();
        var start = 0;
        if (request.PageToken.Length > 0)
        {
            start = all.FindIndex(m => m.Name == request.PageToken);
            if (start < 0) throw Errors.Invalid("page_token", "INVALID_ARGUMENT", "The page token is none that this host gave.");
        }

        var answer = new ListModelsResponse();
        answer.Models.AddRange(all.Skip(start).Take(size).Select(Write));
        if (start + size < all.Count) answer.NextPageToken = all[start + size].Name;
        return Task.FromResult(answer);
    }

    /// <inheritdoc/>
    public override Task<Model> GetModel(GetModelRequest request, ServerCallContext context) => Task.FromResult(Write(Named(request.Name)));

    private FoundModel Named(string name) =>
        (name.StartsWith("models/", StringComparison.Ordinal) ? models.Find(name["models/".Length..]) : null) ?? throw Errors.NotFound("model", name);

    private Model Write(FoundModel found)
    {
        var model = new Model
        {
            Name = "models/" + found.Name,
            DisplayName = found.Capabilities is null && found.Variant.Length > 0 ? found.Variant : found.Name,
            State = found.Capabilities is null ? Model.Types.State.Broken : Model.Types.State.Ready,
            Problem = found.Problem,
            IsDefault = found.Name == options.DefaultModel,
            SizeBytes = found.Bytes,
            LocalPath = found.Folder,
            Repository = found.Origin?.Repository ?? "",
            License = found.Origin is { } origin ? CatalogueEntry.Find(origin.Repository)?.License ?? origin.License ?? "" : found.Source == ModelSource.Shipped ? "Apache-2.0" : "",
        };
        if (found.Capabilities is not { } can) return model;
        model.Family = can.Family;
        model.Parameters = can.TransformerParameters + can.LowNoiseParameters + can.TextEncoderParameters + can.ImageEncoderParameters + can.VaeParameters;
        model.Capabilities = new ModelCapabilities
        {
            Rate = new FrameRate { Numerator = can.CanvasRate.Numerator, Denominator = can.CanvasRate.Denominator },
            MaxCanvasFrames = can.MaxFrames,
            MaxContextBeforeFrames = can.Before != ContextSupport.None ? can.MaxContextFrames : can.FirstFrame != ContextSupport.None ? 1 : 0,
            MaxContextAfterFrames = can.After != ContextSupport.None ? can.MaxContextFrames : 0,
            DefaultSteps = can.DefaultSteps,
            DefaultGuidance = can.DefaultGuidance,
            Keyframes = can.TakesMasks,
            SubjectReferences = can.TakesMasks,
            ControlVideo = can.TakesMasks,
            NeedsFirstFrame = can.NeedsFirstFrame,
        };
        model.Capabilities.CanvasSizes.AddRange(can.Sizes.Select(s => new PixelSize { Width = s.Width, Height = s.Height }));
        model.Capabilities.Kinds.AddRange(Kinds(can));
        return model;
    }

    private static IEnumerable<JobSpec.Types.Kind> Kinds(Planning.ModelCapabilities can)
    {
        yield return JobSpec.Types.Kind.Broll;
        if (!can.NeedsFirstFrame) yield return JobSpec.Types.Kind.Still;
        var tail = can.FirstFrame != ContextSupport.None && !can.NeedsLastFrame;
        if (tail || can.After != ContextSupport.None && !can.NeedsFirstFrame) yield return JobSpec.Types.Kind.Extend;
        if (can.FirstFrame != ContextSupport.None && can.After != ContextSupport.None) yield return JobSpec.Types.Kind.Fill;
        if (!can.NeedsFirstFrame) yield return JobSpec.Types.Kind.Restyle;
        if (!can.TakesMasks) yield break;
        yield return JobSpec.Types.Kind.Inpaint;
        yield return JobSpec.Types.Kind.Outpaint;
    }
}
