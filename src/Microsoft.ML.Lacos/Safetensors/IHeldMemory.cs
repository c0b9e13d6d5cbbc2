namespace Microsoft.ML.Lacos.Safetensors;

/// <summary>Memory that readers hold while they read: disposed meanwhile, it is given back with the last hold.</summary>
internal interface IHeldMemory
{
    /// <summary>Whether it has been disposed; readers that began before may still hold it.</summary>
    bool IsDisposed { get; }

    /// <summary>Begins a hold, which ends with <see cref="EndHold"/>; not once the memory has been disposed.</summary>
    bool TryHold();

    /// <summary>Ends a hold.</summary>
    void EndHold();
}
