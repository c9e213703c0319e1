-- The first offers to the most typical customer of each of the largest segments.
with typical_customers as (
    select segment, customer_id
    from custseg.segments
    where
        run_name = $run_name
        and customer_id in (
            select customer_id
            from custseg.recommendations
            where run_name = $run_name
        )
    qualify row_number() over (
        partition by segment
        order by distance asc nulls last, probability desc, customer_id asc
    ) = 1
),
largest_segments as (
    select segment
    from custseg.segment_summary
    inner join typical_customers using (segment)
    where run_name = $run_name
    order by n_customers desc, segment asc
    limit $n_customers
),
first_offers as (
    from custseg.recommendations
    where run_name = $run_name
    qualify row_number() over (
        partition by customer_id order by rank asc, kind asc
    ) <= $n
)
select
    segment,
    customer_id::varchar as customer_id,
    kind,
    [item_id]::varchar[] as items,
    [item_name] as item_names,
    antecedents::varchar[] as antecedents,
    antecedent_names,
from typical_customers
inner join largest_segments using (segment)
inner join first_offers using (customer_id)
order by segment asc, kind asc, rank asc;
