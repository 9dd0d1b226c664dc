namespace EditorBridge.Diffusion.Weights;

/// <summary>A layer whose <c>weight</c> may stay in its file. It owns what is stored.</summary>
internal interface IStoredLayer
{
    /// <summary>The weight as it is stored; null when the parameter itself has the values.</summary>
    StoredWeight? Stored { get; set; }
}
