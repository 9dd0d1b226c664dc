using EditorBridge.Models.Configs;
using TorchSharp;
using static TorchSharp.torch;

namespace EditorBridge.Benchmarks;

/// <summary>
/// The matrix products and attention that a transformer is made of, and nothing else, on float32 weights in memory: one block's, used for all. The measure that
/// the network is held against.
/// </summary>
internal sealed class PlainTransformer : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();
    private readonly WanTransformerConfig config;
    private readonly Tensor x, text, patches, hidden;
    private readonly Tensor square, up, down, embed, textIn, head;
    private readonly long tokens;

    public PlainTransformer(WanTransformerConfig config, long tokens, Device device)
    {
        (this.config, this.tokens) = (config, tokens);
        var volume = config.PatchSize[1] * config.PatchSize[2];
        Tensor Values(long rows, long columns) => randn(rows, columns, device: device);
        (x, text, patches, hidden) = (Values(tokens, config.Dim), Values(config.TextLen, config.Dim), Values(tokens, config.InChannels * volume), Values(config.TextLen, config.TextDim));
        (square, up, down) = (Values(config.Dim, config.Dim), Values(config.FfnDim, config.Dim), Values(config.Dim, config.FfnDim));
        (embed, textIn, head) = (Values(config.Dim, config.InChannels * volume), Values(config.Dim, config.TextDim), Values(config.OutChannels * volume, config.Dim));
    }

    /// <summary>Operations of one pass.</summary>
    public double Operations
    {
        get
        {
            double dim = config.Dim, blocks = config.NumLayers, volume = config.PatchSize[1] * config.PatchSize[2];
            var products = tokens * dim * volume * (config.InChannels + config.OutChannels) + config.TextLen * dim * (config.TextDim + dim)
                + blocks * (6 * tokens * dim * dim + 2 * config.TextLen * dim * dim + 2 * tokens * dim * config.FfnDim);
            return 2 * products + 4 * blocks * dim * tokens * (tokens + config.TextLen);
        }
    }

    /// <summary>One pass.</summary>
    public void Run()
    {
        using (NewDisposeScope())
        {
            mm(patches, embed.t());
            var t = mm(hidden, textIn.t());
            mm(t, square.t());
        }

        for (var block = 0; block < config.NumLayers; block++)
        {
            using var step = NewDisposeScope();
            var (q, k, v) = (mm(x, square.t()), mm(x, square.t()), mm(x, square.t()));
            mm(Attend(q, k, v), square.t());
            q = mm(x, square.t());
            (k, v) = (mm(text, square.t()), mm(text, square.t()));
            mm(Attend(q, k, v), square.t());
            mm(mm(x, up.t()), down.t());
        }

        using var last = mm(x, head.t());
    }

    public void Dispose() => scope.Dispose();

    private Tensor Attend(Tensor q, Tensor k, Tensor v) =>
        nn.functional.scaled_dot_product_attention(Heads(q), Heads(k), Heads(v)).transpose(1, 2).reshape(q.shape);

    private Tensor Heads(Tensor x) => x.view(1, x.shape[0], config.NumAttentionHeads, -1).transpose(1, 2);
}
