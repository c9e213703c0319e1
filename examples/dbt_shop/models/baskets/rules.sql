-- Which items follow from which.
select * from custseg.association_rules('{{ ref("itemsets") }}', min_confidence := 0.05)
